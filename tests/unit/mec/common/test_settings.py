# SPDX-License-Identifier: Apache-2.0
"""The section mec of the configuration file."""

from __future__ import annotations

import pytest

from mec.common import settings
from submgr.platform.config.file import ConfigError


def test_defaults() -> None:
    found = settings.from_mapping(None)
    assert (found.host, found.network, found.mec_id, found.home_mec_id) == (":8000", "home", 5, 5)
    assert (found.additional_bytes, found.log_identities, found.enabled) == (1_000_000, False, False)


def test_everything_set() -> None:
    found = settings.from_mapping(
        {"enabled": "true", "network": "foreign", "mecId": 9, "homeMecId": 4, "proxyUrl": "http://p:5000/",
         "appUrls": {12345: "http://a:1"}, "dataFile": "d.json", "additionalBytes": 10, "logIdentities": True}
    )  # fmt: skip
    assert found.foreign and found.mec_id == 9 and found.app_urls == {"12345": "http://a:1"}
    assert found.proxy_url == "http://p:5000"


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        settings.from_mapping(
            {"network": "elsewhere", "mecId": -1, "proxyUrl": "ftp://x", "appUrls": {"1": "nonsense"}, "host": "x",
             "mecID2": 1}
        )  # fmt: skip
    text = str(refused.value)
    for name in ("mec.network", "mec.mecId", "mec.proxyUrl", "mec.appUrls", "mec.host", "mec.mecID2"):
        assert name in text


def test_foreign_mec_is_not_its_own_home() -> None:
    with pytest.raises(ConfigError, match="ask itself"):
        settings.from_mapping({"network": "foreign", "mecId": 5})
