# SPDX-License-Identifier: Apache-2.0
"""The UEs by IMSI, and the effects of what becomes of them.

Pure: the time is passed in, effects are gathered. `procedures` calls it for what S1AP says.
"""

from collections import Counter, OrderedDict
from collections.abc import Container, Iterable
from itertools import islice

from mec.common import imsi as imsis
from mec.controller.model import PRESENT, Effect, Forget, Happening, Keep, Learn, S1Connection, State, Ue
from mec.controller.ues import announcements
from mec.controller.ues.gutis import LIFETIME, Gutis
from mec.controller.ues.ip_addresses import IpAddresses, wait_without_address, without

_PURGED_AT_A_TIME = 1000


class UeTable:
    """Keeps the UEs, and gathers what identity providers and the store are to be told. `counts`: events by name."""

    def __init__(self, max_ues: int = 1_000_000, implicit_detach: float = LIFETIME) -> None:
        self.counts: Counter[str] = Counter()
        self.gutis = Gutis()
        self.effects: list[Effect] = []
        self.now = 0.0
        """Seconds since 1970."""
        self._max_ues = max_ues
        self._implicit_detach = implicit_detach
        self._ues: OrderedDict[str, Ue] = OrderedDict()  # the one seen longest ago first
        self._addresses = IpAddresses()
        self._attaching: dict[str, S1Connection] = {}

    def __len__(self) -> int:
        return len(self._ues)

    def find(self, imsi: str) -> Ue | None:
        """The UE of an IMSI in any spelling."""
        return self._ues.get(imsis.key(imsi))

    def holder(self, address: str) -> Ue | None:
        """The UE that has an address."""
        return self._addresses.holder(address)

    def all(self) -> list[Ue]:
        """All UEs, the one seen longest ago first."""
        return list(self._ues.values())

    def newest(self, most: int) -> list[Ue]:
        """At most so many UEs, the one seen last first."""
        return list(islice(reversed(self._ues.values()), most))

    def load(self, ues: Iterable[Ue]) -> None:
        """Takes UEs from records. Their S1 connections ended with the last process; what was seen since is newer."""
        newer = list(self._ues.items())
        for ue in sorted(ues, key=lambda each: each.seen):
            if ue.key not in self._ues:
                if ue.state in PRESENT:
                    ue.state = State.IDLE
                self._ues[ue.key] = ue
                ue.announced = (None, None, frozenset(ue.addresses))
                self.hold(ue)
        for key, ue in newer:
            self._ues.move_to_end(key)
            self.hold(ue)

    def current(self, connection: S1Connection) -> Ue | None:
        """The UE of an S1 connection, if this is the connection where the UE is."""
        ue = self.find(connection.imsi) if connection.imsi is not None else None
        return ue if ue is not None and ue.connection is connection else None

    def is_elsewhere(self, connection: S1Connection) -> bool:
        """Whether the UE that an S1 connection names is on another one."""
        ue = self.find(connection.imsi) if connection.imsi is not None else None
        return ue is not None and ue.connection not in (None, connection)

    def keep(self, ue: Ue) -> None:
        """Has a changed UE stored."""
        ue.seen = self.now
        self._ues.move_to_end(ue.key)
        self.effects.append(Keep(ue))

    def purge(self) -> None:
        """Drops the UEs that the network has given up, and GUTIs whose time is over.

        A UE without an S1 connection that does not come back for `implicit_detach` s, the periodic tracking area
        update timer and a margin, is detached (24.301, 5.3.5).
        """
        gone: list[str] = []
        for _ in range(_PURGED_AT_A_TIME):
            ue = next(iter(self._ues.values()), None)
            if ue is None or ue.seen > self.now - self._implicit_detach:
                break
            if ue.connection is not None:
                self.keep(ue)
            else:
                self.effects += announcements.leave(ue)
                self._remove(ue)
                gone.append(ue.key)
        gutis = self.gutis.expired(self.now)
        if gone or gutis:
            self.effects.append(Forget(tuple(gone), gutis))

    def feed(self, imsi: str, addresses: tuple[str, ...]) -> Ue:
        """Takes from an operator the addresses of a UE whose NAS could not be read."""
        ue = self._known(imsi)
        ue.fed = addresses
        self.hold(ue)
        connection = ue.connection or self._attaching.get(ue.key)
        if connection is None or connection.context:
            if connection is not None:
                self.take_over(ue, connection)
            if ue.state in (State.WAITING, State.DETACHED):
                ue.state = State.ATTACHED
            self.effects += announcements.announce(ue, Happening.ATTACHED)
        self.keep(ue)
        return ue

    def bind(self, connection: S1Connection, imsi: str) -> None:
        """Notes that an S1 connection is the one of an IMSI."""
        if connection.imsi is not None and imsis.same(connection.imsi, imsi):
            return
        self.unbind(connection)
        connection.imsi = imsi
        self._attaching[imsis.key(imsi)] = connection
        if connection.context:
            self.settle(connection)

    def unbind(self, connection: S1Connection) -> None:
        """An S1 connection is gone, or the one of another IMSI. A UE that was on it is idle."""
        if connection.imsi is None:
            return
        self._attached(connection)
        ue = self.current(connection)
        if ue is not None:
            ue.connection = ue.enb_ue_id = ue.mme_ue_id = ue.mme = None
            if ue.state in PRESENT:
                ue.state = State.IDLE
            self.keep(ue)

    def learn(self, imsi: str, guti: bytes) -> None:
        """Learns the GUTI that the MME gave to a UE."""
        if self.gutis.learn(guti, imsi, self.now):
            self.effects.append(Learn(guti, imsi))

    def settle(self, connection: S1Connection) -> None:
        """The MME has set up the context of a UE: the UE is attached as soon as it has an address."""
        if connection.accepted or connection.attaching:
            connection.by_attach = True
        if connection.imsi is None:
            self.counts["context of an unknown UE"] += 1
            self._vacate(connection.bearers)
            return
        ue = self._known(connection.imsi)
        if connection.accepted:
            ue.bearers, ue.fed = dict(connection.bearers), ()
        elif connection.attaching:  # the answer could not be read: whatever the UE had before is void
            ue.bearers = {}
        connection.accepted = connection.attaching = False
        self.hold(ue)
        self.take_over(ue, connection)
        if ue.addresses:
            ue.state = State.ATTACHED
            self.effects += announcements.announce(ue, Happening.ATTACHED)
        else:
            ue.state = State.WAITING
            self.counts["waiting for an address"] += 1
        self.keep(ue)

    def moved(self, ue: Ue, connection: S1Connection, bearers: dict[int, tuple[str, ...]] | None = None) -> None:
        """A UE has come to an S1 connection together with its context; with `bearers` if they are others."""
        if bearers is not None:
            ue.bearers = bearers
            self.hold(ue)
        self.take_over(ue, connection)
        if ue.addresses:
            ue.state = State.MOVED
            self.effects += announcements.announce(ue, Happening.MOVED)
        self.keep(ue)

    def resume(self, ue: Ue, connection: S1Connection) -> None:
        """An S1 connection goes on after its mirror was interrupted. Nobody has to be told."""
        connection.imsi, connection.context = ue.imsi, True
        ue.announced = (connection.association.id, connection.enb_ue_id, frozenset(ue.addresses))
        self.take_over(ue, connection)
        ue.state = State.ATTACHED if ue.addresses else State.WAITING
        self.keep(ue)

    def detach(self, connection: S1Connection) -> None:
        """The UE of an S1 connection leaves the network, unless a later S1 connection has it."""
        ue = self.find(connection.imsi) if connection.imsi is not None else None
        if (
            ue is None
            or (ue.connection is not None and ue.connection.order > connection.order)
            or ue.state is State.DETACHED
        ):
            return
        self.take_over(ue, connection)
        ue.state = State.DETACHED
        self.effects += announcements.leave(ue)
        ue.bearers, ue.fed = {}, ()
        self.hold(ue)
        self.keep(ue)

    def add_bearer(self, connection: S1Connection, bearer: int, addresses: tuple[str, ...]) -> None:
        """The MME gives a UE a further bearer with these addresses."""
        connection.bearers = {**connection.bearers, bearer: addresses}
        ue = self.current(connection)
        if ue is None:
            self._vacate({bearer: addresses})
        elif connection.context and ue.bearers.get(bearer) != addresses:
            ue.bearers = {**ue.bearers, bearer: addresses}
            self.hold(ue)
            if ue.state is State.WAITING and ue.addresses:
                ue.state = State.ATTACHED
            self.effects += announcements.announce(ue, Happening.ATTACHED)
            self.keep(ue)

    def drop_bearers(self, connection: S1Connection, gone: Container[int]) -> None:
        """The bearers in `gone` of the UE of an S1 connection have ended. They were E-RABs, with the same ids."""
        connection.bearers = without(connection.bearers, gone)
        ue = self.find(connection.imsi) if connection.imsi is not None else None
        if ue is None or ue.connection not in (None, connection):
            return
        left = without(ue.bearers, gone)
        if left != ue.bearers:
            ue.bearers = left
            self.hold(ue)
            wait_without_address(ue)
            self.keep(ue)

    def hold(self, ue: Ue) -> None:
        """Notes the addresses of a UE. Another UE loses an address that is given to this one."""
        before = ue.held
        losers = self._addresses.update(ue)
        if before - ue.held:
            self.effects += announcements.release(ue, before - ue.held)
        if losers:
            self._taken_over(losers)

    def _vacate(self, bearers: dict[int, tuple[str, ...]]) -> None:
        """The MME gives addresses to a UE that is not known: whoever had them has lost them."""
        given = [address for addresses in bearers.values() for address in addresses]
        self._taken_over(self._addresses.vacate(given))

    def _taken_over(self, losers: Iterable[tuple[Ue, str]]) -> None:
        for loser, address in losers:
            self.counts["addresses taken over"] += 1
            self.effects += announcements.release(loser, frozenset((address,)))
            wait_without_address(loser)
            self.effects.append(Keep(loser))

    def take_over(self, ue: Ue, connection: S1Connection) -> None:
        """Notes that the UE is on this S1 connection."""
        self._attached(connection)
        ue.connection = connection
        ue.enb_ue_id = connection.enb_ue_id
        ue.mme_ue_id, ue.mme = connection.mme_ue_id, connection.mme
        self.locate(ue, connection)

    def locate(self, ue: Ue, connection: S1Connection) -> None:
        """Notes the cell and tracking area of the S1 connection as those of the UE."""
        ue.cell = connection.cell or ue.cell
        ue.area = connection.area or ue.area
        ue.enb = connection.association.enb

    def _attached(self, connection: S1Connection) -> None:
        key = imsis.key(connection.imsi or "")
        if self._attaching.get(key) is connection:
            del self._attaching[key]

    def _known(self, imsi: str) -> Ue:
        ue = self.find(imsi)
        if ue is None:
            if len(self._ues) >= self._max_ues:
                self._make_room()
            ue = self._ues[imsis.key(imsi)] = Ue(imsi, seen=self.now)
        elif len(imsi) > len(ue.imsi):
            ue.imsi = imsi  # with the leading zeros that somebody's number lost
        return ue

    def _make_room(self) -> None:
        oldest = next(iter(self._ues.values()))
        self.counts["UEs dropped"] += 1
        self.effects += announcements.leave(oldest)
        self._remove(oldest)
        self.effects.append(Forget((oldest.key,), ()))

    def _remove(self, ue: Ue) -> None:
        ue.bearers, ue.fed, ue.connection = {}, (), None
        self._addresses.update(ue)
        del self._ues[ue.key]
