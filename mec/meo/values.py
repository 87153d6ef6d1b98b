# SPDX-License-Identifier: Apache-2.0
"""The kinds of JSON values in requests to the orchestrator: converters for `json_fields`."""

import re
from typing import Any

from mec.meo.model import DeploymentState
from submgr.platform.http.json_fields import Convert, text, whole
from submgr.platform.printable import escaped

MAX_NAME = 32
"""Characters of names and identifiers (MEC 016, 6.2)."""
MAX_LATENCY = 60_000.0
"""ms."""
MAX_ZONES = 1000
"""Of which a platform tells the latency."""
MAX_LOCATIONS = 100
"""Where an application may run."""
_MAX_ADDRESS = 2048

_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
_URL = re.compile(rf"https?://([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:({_PORT}))?([/?][!-~]*)?\Z")
_LINK = re.compile(r"[!-~]+\Z")

name = text(MAX_NAME)
description = text(128, empty=True)
descriptor = text(128)
"""Converts appDId and appDVersion, whose length MEC 016 does not limit."""
platform_name = text(128)
zone = text(128)
qkd_name = text(256)
file_name = text(4096)
_address = text(_MAX_ADDRESS)
_address_or_empty = text(_MAX_ADDRESS, empty=True)


def url(value: Any) -> str:
    """Converts an http or https URL."""
    if not _URL.match(given := _address(value)):
        raise ValueError('must be a URL like "http://host:8080/path"')
    return given


def link(value: Any) -> str:
    """Converts an address of any form without blanks."""
    return _link(_address(value))


def link_or_empty(value: Any) -> str:
    """Converts an address of any form without blanks, or an empty string."""
    return _link(given) if (given := _address_or_empty(value)) else given


def share(value: Any) -> float:
    """Converts a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1")
    return float(value)


def number_to(most: float) -> Convert[float]:
    """A converter of numbers from 0 to `most`."""

    def convert(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ValueError(f"must be a number from 0 to {most:.10g}")
        return float(value)

    return convert


amount = whole(0, 2**32 - 1)
"""Converts an amount of memory, storage, bandwidth or contexts."""
cores = number_to(1_000_000.0)
latency = number_to(MAX_LATENCY)


def deployment_state(value: Any) -> DeploymentState:
    """Converts the state of a deployment."""
    if value not in tuple(DeploymentState):
        raise ValueError(f"must be {', '.join(DeploymentState)}")
    return DeploymentState(value)


def message(value: Any) -> str:
    """Converts what a platform says in words: the first 500 characters, in one line."""
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return escaped(" ".join(value[:500].split()))


def _link(given: str) -> str:
    if not _LINK.match(given):
        raise ValueError("must be an address without blanks, in ASCII")
    return given
