# SPDX-License-Identifier: Apache-2.0
"""The RMR_* environment variables as librmr understands them in its SI95 build, read into one value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from submgr.rmr.addresses import AddressError, split_address

DEFAULT_CONTROL_PORT = 4561
DEFAULT_MANAGER = "routemgr:4561"
"""Who is asked for a table when only RMR_CTL_PORT is set."""
_DEFAULT_INTERVAL = 5
_LONGEST_INTERVAL = 300
_MOST_VERBOSE = 5
_SHOWN = 100
"""Characters of a value that means nothing."""


class RmrEnvironmentError(ValueError):
    """The RMR layer cannot be as it is wanted. The text names the variable or setting, and what is expected."""


class RmrEnvironment(Struct, frozen=True):
    """Where route tables come from, the name we announce, and where we listen."""

    seed: Path | None = None
    """Route table file (RMR_SEED_RT)."""
    control_port: int | None = DEFAULT_CONTROL_PORT
    """Port for the route manager; None = tables come from the seed file alone, which is read again."""
    manager: str = ""
    """ "host:port" that is asked for a table until the first one comes; "" = wait for it."""
    request_interval: float = _DEFAULT_INTERVAL
    """Seconds between two such questions (RMR_RTREQ_FREQ)."""
    source: str = ""
    """Host part of our name (RMR_SRC_ID); "" = the host's name up to its first dot."""
    name_only: bool = False
    """The srcip field has our name instead of our address (RMR_SRC_NAMEONLY)."""
    bind: str = ""
    """Address or interface to listen on (RMR_BIND_IF); "" = all."""
    stash: Path | None = None
    """Where a table from the route manager is written to (RMR_STASH_RT)."""
    verbosity: int | None = None
    """0 (silent) to 5 (debug) as in RMR_LOG_VLEVEL; None = as logging is configured."""
    warnings: tuple[str, ...] = ()
    """Which variables mean nothing, and what is taken instead."""


def read_environment(env: Mapping[str, str]) -> RmrEnvironment:
    """What the variables in `env` say. An empty variable counts as unset, and so does one that means nothing."""
    return _Variables(env).read()


class _Variables:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._given = {name: value.strip() for name, value in env.items() if name.startswith("RMR_") and value.strip()}
        self._warnings: list[str] = []

    def read(self) -> RmrEnvironment:
        given = self._given
        control_port, manager = self._control()
        seed = Path(given["RMR_SEED_RT"]) if "RMR_SEED_RT" in given else None
        stash = Path(given["RMR_STASH_RT"]) if "RMR_STASH_RT" in given else None
        if stash is None and seed is not None:
            stash = Path(f"{seed}.stash")
        verbosity = self._number("RMR_LOG_VLEVEL", -2, -1, _MOST_VERBOSE)
        return RmrEnvironment(
            seed=seed,
            control_port=control_port,
            manager=manager,
            request_interval=self._number("RMR_RTREQ_FREQ", _DEFAULT_INTERVAL, 1, _LONGEST_INTERVAL),
            source=self._source(),
            name_only=self._number("RMR_SRC_NAMEONLY", 0, 0, 255) > 0,
            bind=given.get("RMR_BIND_IF", "").removeprefix("[").removesuffix("]"),
            stash=stash,
            verbosity=None if verbosity == -2 else verbosity,
            warnings=tuple(self._warnings),
        )

    def _control(self) -> tuple[int | None, str]:
        """Control port (None = seed file only) and the manager to ask ("" = none)."""
        own = self._own_port()
        service = self._given.get("RMR_RTG_SVC")
        if service is None:
            return own or DEFAULT_CONTROL_PORT, "" if own is None else DEFAULT_MANAGER
        if service.startswith("-") and service[1:].isascii() and service[1:].isdigit():
            return None, ""
        pushed_to = _port(service)
        if pushed_to is not None:
            return pushed_to, ""
        manager = service.removeprefix("tcp:")
        try:
            split_address(manager)
        except AddressError as bad:
            wanted = f"{bad}; a port, tcp:port, host:port or a negative number is expected"
            self._means_nothing("RMR_RTG_SVC", wanted, "a route manager is waited for")
            return own or DEFAULT_CONTROL_PORT, ""
        return own or DEFAULT_CONTROL_PORT, manager

    def _own_port(self) -> int | None:
        text = self._given.get("RMR_CTL_PORT")
        port = None if text is None else _port(text)
        if text is not None and port is None:
            wanted = "a port (1..65535) or tcp:port is expected"
            self._means_nothing("RMR_CTL_PORT", wanted, f"{DEFAULT_CONTROL_PORT} is taken")
        return port

    def _source(self) -> str:
        """Our host name; a port in it is cut off, as librmr does."""
        source = self._given.get("RMR_SRC_ID", "")
        if not source:
            return ""
        host = source.partition("]")[0] + "]" if source.startswith("[") else source.partition(":")[0]
        try:
            return split_address(f"{host}:65535")[0]
        except AddressError as bad:
            self._means_nothing("RMR_SRC_ID", str(bad), "the name of this host is taken")
            return ""

    def _number(self, name: str, default: int, lowest: int, highest: int) -> int:
        text = self._given.get(name)
        if text is None:
            return default
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 10 and lowest <= int(text) <= highest:
            return int(text)
        taken = f"{default} is taken" if default >= lowest else "it is left out"
        self._means_nothing(name, f"a number from {lowest} to {highest} is expected", taken)
        return default

    def _means_nothing(self, name: str, expected: str, instead: str) -> None:
        self._warnings.append(f"{name}={self._given[name][:_SHOWN]!r}: {expected}; {instead}")


def read_port(what: str, text: str) -> int:
    """The port of "4560" or "tcp:4560". Raises RmrEnvironmentError, which names `what`."""
    port = _port(text)
    if port is None:
        raise RmrEnvironmentError(f"{what}={text!r}: a port (1..65535) or tcp:port is expected")
    return port


def _port(text: str) -> int | None:
    digits = text.removeprefix("tcp:")
    if digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535:
        return int(digits)
    return None
