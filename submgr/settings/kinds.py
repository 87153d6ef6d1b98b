# SPDX-License-Identifier: Apache-2.0
"""The kinds of settings that only the daemon has."""

import re
from typing import Any

from submgr.platform.config.values import Kind, text


def _rmr_port(value: Any) -> int:
    given = text(value).strip().lower()
    port = given.removeprefix("tcp:")
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return int(port)
    raise ValueError(f'{value!r} is not a port like "tcp:4560"')


rmr_port = Kind(_rmr_port, "tcp:1 to tcp:65535", show="tcp:{}".format)
"""RMR's way of naming a port, "tcp:4560" or "4560", as its number."""


def _host(value: Any) -> str:
    host = text(value).strip()
    if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]+", host):
        raise ValueError(f"{host!r} is not a host name or address")
    return host.removeprefix("[").removesuffix("]")


host = Kind(_host, "host name or address")


def _base_url(value: Any) -> str:
    base = text(value).strip().rstrip("/")
    if base and not re.fullmatch(r"/[!-~]*", base):
        raise ValueError(f'{value!r} is not a path like "/ric/v1"')
    return base


base_url = Kind(_base_url, "path like /ric/v1, or nothing")


def _metric_namespace(value: Any) -> str:
    namespace = text(value).strip()
    if namespace and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", namespace):
        raise ValueError(f"{namespace!r} cannot begin a metric's name: letters, digits and _ only")
    return namespace


metric_namespace = Kind(_metric_namespace, "letters, digits and _, or nothing")
