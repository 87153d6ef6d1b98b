# SPDX-License-Identifier: Apache-2.0
"""The kinds of settings that only the daemon has."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from submgr.platform.config.values import Kind, checked_url, number, one_of, text, truth, whole


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


def _collector(value: Any) -> str:
    url = text(value).strip()
    return checked_url(url, "http://otel-collector:4318") if url else ""


collector = Kind(_collector, "http or https URL, or nothing")


def _metric_namespace(value: Any) -> str:
    namespace = text(value).strip()
    if namespace and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", namespace):
        raise ValueError(f"{namespace!r} cannot begin a metric's name: letters, digits and _ only")
    return namespace


metric_namespace = Kind(_metric_namespace, "letters, digits and _, or nothing")


class Merging(Struct, frozen=True):
    """Whether equal REPORT subscriptions are merged, and the exceptions by RAN function id."""

    default: bool = True
    by_function: Mapping[int, bool] = field(default_factory=dict)


def _merging(value: Any) -> Merging:
    if not isinstance(value, Mapping):
        return Merging(truth(value))
    function_id = whole(0, 4095)
    default, by_function = True, {}
    for name, merged in value.items():
        if str(name).strip().lower() == "default":
            default = truth(merged)
        else:
            by_function[function_id(name)] = truth(merged)
    return Merging(default, by_function)


def _show_merging(value: Merging) -> Any:
    return {"default": value.default, **value.by_function} if value.by_function else value.default


merging = Kind(_merging, "true, false, or a mapping of RAN function ids and default to these", show=_show_merging)


def _delete_waits(value: Any) -> tuple[str, ...]:
    """The patterns of the nodes whose deletes do not wait."""
    answer_or_sent = one_of("answer", "sent")
    if not isinstance(value, Mapping):
        return ("*",) if answer_or_sent(value) == "sent" else ()
    return tuple(text(pattern) for pattern, waits in value.items() if answer_or_sent(waits) == "sent")


def _show_delete_waits(patterns: tuple[str, ...]) -> Any:
    if not patterns:
        return "answer"
    return "sent" if patterns == ("*",) else dict.fromkeys(patterns, "sent")


delete_waits = Kind(
    _delete_waits, "answer, sent, or a mapping of ranNames (with * and ?) to these", show=_show_delete_waits
)
"""Whose deletes hold up the queue of their E2 node only until they are sent, as patterns of ranNames."""


def hours(low: float, high: float) -> Kind[float]:
    """A number of hours from `low` to `high`, as seconds."""
    check = number(low, high)
    return Kind(lambda value: check(value) * 3600, check.allowed, "h", lambda seconds: round(seconds / 3600, 3))
