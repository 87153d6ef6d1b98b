# SPDX-License-Identifier: Apache-2.0
"""Reads where redis is from the DBAAS_* variables, as every user of SDL has them.

A value that means nothing is replaced by its default, and an entry of a list that means nothing is left out; a warning
names each. So a wrong variable shows as a database that is not where it is looked for, and never keeps a program from
starting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

HOST = "DBAAS_SERVICE_HOST"
PORT = "DBAAS_SERVICE_PORT"
SENTINEL_PORT = "DBAAS_SERVICE_SENTINEL_PORT"
MASTER_NAME = "DBAAS_MASTER_NAME"
CLUSTER_ADDRESSES = "DBAAS_CLUSTER_ADDR_LIST"
VARIABLES = (HOST, PORT, SENTINEL_PORT, MASTER_NAME, CLUSTER_ADDRESSES)

_DEFAULT_HOST = "localhost"
_DEFAULTS = {PORT: "6379", SENTINEL_PORT: "26379", MASTER_NAME: "dbaasmaster"}
_HOST = re.compile(r"[A-Za-z0-9_.%-]+\Z|[0-9A-Fa-f:.]+(%\w+)?\Z")
_HOST_AND_PORT = re.compile(r"(?P<host>[A-Za-z0-9_.-]+|\[[^]]+\]):(?P<port>[0-9]+)\Z")


class _Address(Struct, frozen=True):
    """An entry of a list of addresses. `place`: its place in the list, with which it has its port there."""

    place: int
    host: str
    port: str | None


class Database(Struct, frozen=True):
    """One redis of the list. With a `master`, host and port are those of a Sentinel, which knows it by that name."""

    host: str
    port: int
    master: str | None = None


class Dbaas(Struct, frozen=True):
    """The databases, at least one, and what was wrong with the variables of the environment, in words."""

    databases: tuple[Database, ...]
    warnings: tuple[str, ...]


def read_dbaas(environment: Mapping[str, str]) -> Dbaas:
    """Where the databases are by the DBAAS_* variables of `environment`."""
    given = {name: value for name in VARIABLES if (value := environment.get(name, "").strip())}
    warnings: list[str] = []
    addresses = _addresses(given, warnings)
    if SENTINEL_PORT not in given:
        ports = _per_address(PORT, given.get(PORT), addresses, warnings)
        databases = [Database(each.host, int(port)) for each, port in zip(addresses, ports, strict=True)]
        return Dbaas(tuple(databases), tuple(warnings))
    ports = _per_address(SENTINEL_PORT, given[SENTINEL_PORT], addresses, warnings)
    if MASTER_NAME not in given:
        warnings.append(f"{MASTER_NAME} is not set: {_DEFAULTS[MASTER_NAME]} is taken")
    masters = _per_address(MASTER_NAME, given.get(MASTER_NAME), addresses, warnings)
    databases = [
        Database(each.host, int(port), master) for each, port, master in zip(addresses, ports, masters, strict=True)
    ]
    return Dbaas(tuple(databases), tuple(warnings))


def _addresses(given: Mapping[str, str], warnings: list[str]) -> list[_Address]:
    for name in (CLUSTER_ADDRESSES, HOST):
        found = list(_addresses_of(name, given[name], warnings)) if name in given else []
        if found:
            return found
    if HOST in given or CLUSTER_ADDRESSES in given:
        warnings.append(f"no address of the database can be used: {_DEFAULT_HOST} is taken")
    else:
        warnings.append(f"{HOST} is not set: {_DEFAULT_HOST} is taken")
    return [_Address(0, _DEFAULT_HOST, None)]


def _addresses_of(name: str, value: str, warnings: list[str]) -> Iterator[_Address]:
    for place, entry in enumerate(value.split(",")):
        text = entry.strip()
        with_port = _HOST_AND_PORT.match(text)
        host = (with_port["host"] if with_port else text).strip("[]")
        port = with_port["port"] if with_port else None
        if _HOST.match(host) and (port is None or _is_port(port)):
            yield _Address(place, host, port)
        else:
            warnings.append(f"{name}: {text!r} is no address, it is left out" if text else f"{name}: an entry is empty")


def _per_address(name: str, value: str | None, addresses: list[_Address], warnings: list[str]) -> list[str]:
    """The entry of the list `name` for each address. The last entry counts for the addresses after it, too."""
    entries = [entry.strip() for entry in value.split(",")] if value else [_DEFAULTS[name]]
    for place, entry in enumerate(entries):
        if not (_is_port(entry) if name != MASTER_NAME else entry):
            kind = "name" if name == MASTER_NAME else "port number"
            warnings.append(f"{name}: {entry!r} is no {kind}, {_DEFAULTS[name]} is taken")
            entries[place] = _DEFAULTS[name]
    by_order = len(entries) == len(addresses)
    chosen = []
    for order, address in enumerate(addresses):
        entry = entries[min(order if by_order else address.place, len(entries) - 1)]
        own = address.port if name != MASTER_NAME else None
        chosen.append(own or entry)
    return chosen


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536
