# SPDX-License-Identifier: Apache-2.0
"""Reads the file that lists the MECs, and makes the report of those that could not be notified."""

from collections.abc import Mapping
from typing import Any

from mec.common.ids import mec_id
from mec.common.relaxed_json import DIALECT, check, parse
from mec.common.settings import http_url
from mec.proxy.model import Mec, Unreached
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.http.json_fields import Fields, Mistakes


def mec_info(text: str) -> Mapping[int, Mec]:
    """Reads `{"mecs": [{"id": 5, "managerAmsUrl": "http://…"}]}`. Raises ConfigError with all mistakes."""
    content = parse(text)
    if not isinstance(content, dict) or not isinstance(content.get("mecs"), list):
        raise ConfigError([Problem(1, "mecs", 'the file must be an object with a list "mecs"')])
    fields = Fields(content, "", Mistakes(DIALECT))
    mecs: dict[int, Mec] = {}
    for _, entry in fields.children("mecs"):
        number = entry.need("id", mec_id, -1)
        url = entry.need("managerAmsUrl", http_url, "")
        if number in mecs and number >= 0:
            entry.wrong("id", f"MEC {number} is in the file already")
        mecs[number] = Mec(number, url)
    check(text, fields.mistakes)
    return mecs


def unreached_view(unreached: Unreached) -> dict[str, Any]:
    """One entry of the report: a MEC that could not be notified, and why."""
    return {"id": unreached.mec.id, "managerAmsUrl": unreached.mec.url, "reason": unreached.why}
