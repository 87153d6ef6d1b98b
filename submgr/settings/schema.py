# SPDX-License-Identifier: Apache-2.0
"""What may stand in the configuration file: names as in the Go submgr's, kinds, bounds, defaults."""

import re
from typing import Any

from submgr.platform.config.file import Key, Section
from submgr.platform.config.values import milliseconds, number, one_of, text, truth, whole
from submgr.platform.http.server import parse_listen
from submgr.platform.store.choice import BACKENDS

TOKEN_VARIABLE = "SUBMGR_DEBUG_TOKEN"

_HOUR = 3_600_000


def _listen(value: Any) -> str:
    listen = text(value)
    parse_listen(listen)
    return listen


def _prot_port(value: Any) -> int:
    """RMR's way of naming a port: "tcp:4560" or "4560"."""
    given = text(value).strip().lower()
    port = given.removeprefix("tcp:")
    if port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return int(port)
    raise ValueError(f'{value!r} is not a port like "tcp:4560"')


def _host(value: Any) -> str:
    host = text(value).strip()
    if not re.fullmatch(r"[A-Za-z0-9._:%\[\]-]+", host):
        raise ValueError(f"{host!r} is not a host name or address")
    return host.removeprefix("[").removesuffix("]")


def _base_url(value: Any) -> str:
    base = text(value).strip().rstrip("/")
    if base and not re.fullmatch(r"/[!-~]*", base):
        raise ValueError(f'{value!r} is not a path like "/ric/v1"')
    return base


def _namespace(value: Any) -> str:
    namespace = text(value).strip()
    if namespace and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", namespace):
        raise ValueError(f"{namespace!r} cannot begin a metric's name: letters, digits and _ only")
    return namespace


# The sections of the Go submgr's file pass unknown keys with a warning (its releases differ in them); a mistake in the
# ones that only this program has is an error.
SCHEMA = Section(
    "",
    (
        Section(
            "subscription",
            (
                Key("host", _listen, ":8088"),
                Key("retryCount", whole(1, 1_000_000), 10),
                Key("retryDelay", number(0.001, 3600), 5.0),
            ),
        ),
        Section("local", (Key("host", _listen, ":8080"),)),
        Section("logger", (Key("level", whole(1, 4), 3),)),
        Section(
            "rmr",
            (
                Key("protPort", _prot_port, 4560),
                Key("maxSize", whole(1024, 1 << 24), 65536),
                Key("numWorkers", whole(1, 1000), 1),
                Key("transport", one_of("wire", "librmr"), "wire"),
            ),
        ),
        Section(
            "rtmgr",
            (
                Key("hostAddr", _host, "service-ricplt-rtmgr-http"),
                Key("port", whole(1, 65535), 3800),
                Key("baseUrl", _base_url, "/ric/v1"),
            ),
        ),
        Section("db", open=True),
        Section(
            "controls",
            (
                Key("e2tSubReqTimeout_ms", milliseconds(1, _HOUR), 2.0),
                Key("e2tSubDelReqTime_ms", milliseconds(1, _HOUR), 2.0),
                Key("e2tRecvMsgTimeout_ms", milliseconds(0, _HOUR), 2.0),
                Key("e2tMaxSubReqTryCount", whole(1, 1000), 2),
                Key("e2tMaxSubDelReqTryCount", whole(1, 1000), 2),
                Key("checkE2State", truth, True),
                Key("checkE2IEOrder", truth, True),
                Key("readSubsFromDb", truth, True),
                Key("dbTryCount", whole(1, 1_000_000), 200),
                Key("dbRetryForever", truth, True),
                Key("waitRouteCleanup_ms", milliseconds(0, _HOUR), 5.0),
                Key("maxOngoingE2Procedures", whole(1, 10_000), 1),
                Key("ricRequestorId", whole(0, 65535), 123),
                Key("onE2Loss", one_of("drop", "notify", "restore"), "drop"),
                Key("notificationQueue", whole(1, 10_000_000), 10_000),
            ),
        ),
        Section(
            "sdl",
            (Key("backend", one_of(*BACKENDS), "redis"), Key("path", text, "data/submgr.db")),
            strict=True,
        ),
        Section(
            "debug",
            (Key("write", one_of("open", "token", "off"), "open"), Key("token", text, ""), Key("tokenFile", text, "")),
            strict=True,
        ),
        Section("metrics", (Key("namespace", _namespace, ""),), strict=True),
        Section("mec", open=True),
        Section("meo", open=True),
    ),
)
