# SPDX-License-Identifier: Apache-2.0
"""The RMR layer of a service: a transport, and the sources of its route tables."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from submgr.rmr.addresses import join_address, listen_address, own_addresses
from submgr.rmr.environment import RmrEnvironment, RmrEnvironmentError, read_environment, read_port
from submgr.rmr.framing import SMALLEST_FRAME
from submgr.rmr.manager_port import ManagerPort
from submgr.rmr.message import Message, Status
from submgr.rmr.routing.seed_file import SeedFile
from submgr.rmr.routing.table import NONE_SKIPPED, RouteTable, Skipped
from submgr.rmr.stash import Stash
from submgr.rmr.transport import Failed, OnError, OnMessage, Stats, Transport, TransportConfig, TransportError
from submgr.rmr.wire.transport import WireTransport

_LOG = logging.getLogger(__name__)
_LEVELS = (logging.CRITICAL + 1, logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG)


class RmrSettings(Struct, frozen=True):
    """The RMR settings of a service's configuration."""

    proto_port: str = "tcp:4560"
    max_size: int = 65536
    """Payload bytes that a message usually has at most. Larger messages pass, up to `limits.max_frame`."""
    transport: str = "wire"
    """wire, or librmr where the C library is installed."""
    limits: TransportConfig = field(default_factory=TransportConfig)
    """Queue lengths and durations. Its host, port, name and address are not used."""


class Rmr:
    """A transport with the sources of its route tables. `build` makes it; nothing happens before `start`."""

    def __init__(
        self,
        transport: Transport,
        addresses: tuple[str, ...] = (),
        verbosity: int | None = None,
    ) -> None:
        """`addresses` are the IP addresses under which a route table may mean us."""
        self.transport = transport
        self._addresses = addresses
        self._manager_port: ManagerPort | None = None
        self._seed: SeedFile | None = None
        self._stash: Stash | None = None
        self._verbosity = verbosity
        self._on_routes: list[Callable[[], None]] = []
        self._on_pushed: list[Callable[[RouteTable], None]] = []

    def take_routes_from(self, config: TransportConfig, environment: RmrEnvironment) -> None:
        """Sets the sources of route tables, before `start`. `config`: how to listen for the route manager."""
        if environment.seed is not None:
            self._seed = SeedFile(environment.seed, self.set_routes)
        if environment.stash is not None:
            self._stash = Stash(environment.stash)
        if environment.control_port is not None:
            self._manager_port = ManagerPort(
                replace(config, port=environment.control_port),
                self._pushed,
                environment.manager,
                environment.request_interval,
            )

    def _pushed(self, table: RouteTable) -> None:
        self.set_routes(table)
        if self._stash is not None:
            self._stash.save(table)
        for pushed in self._on_pushed:
            pushed(table)

    @property
    def name(self) -> str:
        """Our "host:port" in `src`, known after start."""
        return self.transport.name

    @property
    def port(self) -> int:
        """The port we listen on, known after start."""
        return self.transport.port

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports we listen on, for messages and for the route manager, known after start."""
        return (self.port,) if self._manager_port is None else (self.port, self._manager_port.port)

    @property
    def trouble(self) -> str:
        """Why there is no route table yet, "" when there is one."""
        if self.transport.ready():
            return ""
        seed = self._seed.trouble if self._seed is not None else ""
        return f"no complete route table yet{'; ' if seed else ''}{seed}"

    def start(self, *, ask: bool = True) -> None:
        """Listens, reads the seed file and serves the route manager. Raises TransportError.

        `ask`: asks the manager for a table now; otherwise `ask_for_routes` does it.
        """
        if self._verbosity is not None:
            logging.getLogger("submgr.rmr").setLevel(_LEVELS[max(self._verbosity, 0)])
        self.transport.start()
        own_names = frozenset({self.name, *(join_address(address, self.port) for address in self._addresses)})
        if self._seed is not None:
            self._seed.load(own_names)
        if self._manager_port is not None:
            try:
                self._manager_port.start(self.name, own_names, self.transport.routes(), ask=ask)
            except TransportError:
                self.stop(timeout=0.0)
                raise
        elif self._seed is not None:
            self._seed.watch()

    def stop(self, timeout: float = 1.0) -> None:
        """Sends what is queued, for at most `timeout` seconds, then closes everything."""
        if self._seed is not None:
            self._seed.stop()
        if self._manager_port is not None:
            self._manager_port.stop()
        if self._stash is not None:
            self._stash.stop()
        self.transport.stop(timeout)

    def ready(self) -> bool:
        """Whether a complete route table has been applied; one without routes counts."""
        return self.transport.ready()

    def routes(self) -> RouteTable | None:
        """The table in force; None before the first one, and with librmr, which keeps its own."""
        return self.transport.routes()

    def size(self) -> tuple[int, int] | None:
        """The routes and the meids of the table in force; None when there is none that is known here."""
        table = self.transport.routes()
        return None if table is None else (len(table.routes), len(table.meids))

    def set_routes(self, table: RouteTable) -> None:
        """Puts a table in force, until the route manager or the seed file has another one."""
        self.transport.set_routes(table)
        for changed in self._on_routes:
            changed()

    def ask_for_routes(self) -> None:
        """Asks the manager for a full table until one comes, whatever has come before."""
        if self._manager_port is not None:
            self._manager_port.ask()

    def go_on_with(self, table: RouteTable) -> None:
        """Puts the table of an earlier run in force, until the manager sends one. Does nothing when it has sent one."""
        if self._manager_port is not None and self._manager_port.go_on_with(table):
            self.set_routes(table)

    def on_pushed(self, pushed: Callable[[RouteTable], None]) -> None:
        """`pushed(table)` is called with each table in force that comes from the manager. It must not raise."""
        self._on_pushed.append(pushed)

    def on_routes(self, changed: Callable[[], None]) -> None:
        """`changed` is called after each new table. It must not raise."""
        self._on_routes.append(changed)

    def awaits_routes(self) -> bool:
        """Whether the full table that the route manager sends after a start is still to come."""
        return self._manager_port is not None and not self._manager_port.full

    def leads(self, message: Message) -> bool:
        """Whether the table in force has a destination for a message."""
        table = self.transport.routes()
        return table is not None and table.leads(message.mtype, message.sub_id, message.meid)

    def skipped_routes(self) -> Skipped:
        """The records of the table in force that cannot be read."""
        table = self.transport.routes()
        return NONE_SKIPPED if table is None else table.unread

    def send(self, message: Message, failed: Failed | None = None) -> Status:
        """See Transport.send."""
        return self.transport.send(message, failed)

    def send_to(self, endpoint: str, message: Message, failed: Failed | None = None) -> Status:
        """See Transport.send_to."""
        return self.transport.send_to(endpoint, message, failed)

    def reply(
        self, request: Message, mtype: int, payload: bytes, failed: Failed | None = None, **changes: Any
    ) -> Status:
        """See Transport.reply."""
        return self.transport.reply(request, mtype, payload, failed, **changes)

    def stats(self) -> Stats:
        """The counters of the transport."""
        return self.transport.stats()


def build(
    settings: RmrSettings,
    env: Mapping[str, str],
    on_message: OnMessage,
    on_error: OnError | None = None,
    load_librmr: Callable[[], Any] | None = None,
) -> Rmr:
    """The RMR layer of a service, as its settings and the RMR_* variables in `env` want it.

    librmr has its own control port and gets the variables as they are. `load_librmr` returns the C library instead of
    the installed one; only the transport librmr calls it, at its start. A variable that means nothing is a warning in
    the log, and counts as unset.
    Raises RmrEnvironmentError for an address that is none of this host's, and for settings that mean nothing.
    """
    environment = read_environment(env)
    for warning in environment.warnings:
        _LOG.warning("%s", warning)
    config = _transport_config(settings, environment)
    if settings.transport == "librmr":
        variables = {name: value for name, value in env.items() if name.startswith("RMR_") and value.strip()}
        # imported here: few daemons have it
        from submgr.rmr.librmr.binding import load_library
        from submgr.rmr.librmr.transport import LibrmrTransport

        return Rmr(LibrmrTransport(config, on_message, on_error, variables, load_librmr or load_library))
    if settings.transport != "wire":
        raise RmrEnvironmentError(f"rmr.transport={settings.transport!r}: wire or librmr is expected")
    rmr = Rmr(WireTransport(config, on_message, on_error), tuple(own_addresses(config.host)), environment.verbosity)
    rmr.take_routes_from(config, environment)
    return rmr


def _transport_config(settings: RmrSettings, environment: RmrEnvironment) -> TransportConfig:
    host = listen_address(environment.bind)
    if host is None:
        raise RmrEnvironmentError(f"RMR_BIND_IF={environment.bind!r}: an address or interface of this host is expected")
    addresses = own_addresses(host)
    return replace(
        settings.limits,
        host=host,
        port=read_port("rmr.protPort", settings.proto_port),
        name=environment.source,
        address=addresses[0] if addresses and not environment.name_only else "",
        usual_size=settings.max_size,
        max_frame=max(settings.limits.max_frame, settings.max_size + SMALLEST_FRAME),
    )
