# SPDX-License-Identifier: Apache-2.0
"""Who is where: legs by connection and eNB id, UEs by IMSI, and what changes of them lead to.

Pure: time comes in, effects go out. `procedures` turns S1AP into calls of these.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable

from mec.common import imsi as imsis
from mec.controller.model import (
    Announce,
    Effect,
    Forget,
    Happening,
    Identity,
    Keep,
    Learn,
    Leg,
    State,
    Ue,
)
from mec.controller.ues.gutis import LIFETIME, Gutis
from mec.controller.ues.ip_addresses import Addresses

_PURGED_AT_A_TIME = 1000
_PRESENT = (State.ATTACHED, State.MOVED)


class UeTable:
    """The UEs, and what identity providers and the store are told of them. `counts`: what happened, by name."""

    def __init__(self, max_ues: int = 1_000_000) -> None:
        self.counts: Counter[str] = Counter()
        self.gutis = Gutis()
        self.effects: list[Effect] = []
        self.now = 0.0
        """Seconds since 1970."""
        self._max_ues = max_ues
        self._ues: OrderedDict[str, Ue] = OrderedDict()  # the one seen longest ago first
        self._addresses = Addresses()
        self._attaching: dict[str, Leg] = {}

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

    def load(self, ues: Iterable[Ue]) -> None:
        """Take UEs from records. Their legs ended with the process that saw them; what was seen since is newer."""
        newer = list(self._ues.items())
        for ue in sorted(ues, key=lambda each: each.seen):
            if ue.key not in self._ues:
                if ue.state in _PRESENT:
                    ue.state = State.IDLE
                self._ues[ue.key] = ue
                self.hold(ue)
        for key, ue in newer:
            self._ues.move_to_end(key)
            self.hold(ue)

    def current(self, leg: Leg) -> Ue | None:
        """The leg's UE, if this is the leg it is on."""
        ue = self.find(leg.imsi) if leg.imsi is not None else None
        return ue if ue is not None and ue.leg is leg else None

    def keep(self, ue: Ue) -> None:
        """The record of a UE has changed."""
        ue.seen = self.now
        self._ues.move_to_end(ue.key)
        self.effects.append(Keep(ue))

    def purge(self) -> None:
        """Forget UEs that were not seen for 24 hours and are on no connection, and GUTIs whose time is over."""
        gone: list[str] = []
        for _ in range(_PURGED_AT_A_TIME):
            ue = next(iter(self._ues.values()), None)
            if ue is None or ue.seen > self.now - LIFETIME:
                break
            if ue.leg is not None:
                self.keep(ue)
            else:
                self._remove(ue)
                gone.append(ue.key)
        gutis = self.gutis.expired(self.now)
        if gone or gutis:
            self.effects.append(Forget(tuple(gone), gutis))

    def feed(self, imsi: str, addresses: tuple[str, ...]) -> Ue:
        """An operator says which addresses a UE has whose NAS could not be read."""
        ue = self._known(imsi)
        ue.fed = addresses
        self.hold(ue)
        leg = ue.leg or self._attaching.get(ue.key)
        if leg is None or leg.context:
            if leg is not None:
                self.take_over(ue, leg)
            if ue.state in (State.WAITING, State.DETACHED):
                ue.state = State.ATTACHED
            self.announce(ue, Happening.ATTACHED)
        self.keep(ue)
        return ue

    def bind(self, leg: Leg, imsi: str) -> None:
        """A leg is that of an IMSI."""
        if leg.imsi is not None and imsis.same(leg.imsi, imsi):
            return
        self.unbind(leg)
        leg.imsi = imsi
        self._attaching[imsis.key(imsi)] = leg
        if leg.context:
            self.settle(leg)

    def unbind(self, leg: Leg) -> None:
        """A leg is gone, or another's; its UE is idle, if this is where it was."""
        if leg.imsi is None:
            return
        self._attached(leg)
        ue = self.current(leg)
        if ue is not None:
            ue.leg = ue.enb_ue_id = ue.mme_ue_id = ue.mme = None
            if ue.state in _PRESENT:
                ue.state = State.IDLE
            self.keep(ue)

    def learn(self, imsi: str, guti: bytes) -> None:
        """The MME gave an IMSI's UE a GUTI."""
        if self.gutis.learn(guti, imsi, self.now):
            self.effects.append(Learn(guti, imsi))

    def settle(self, leg: Leg) -> None:
        """The MME has set up the context of a leg: its UE is there, and attached once an address is known."""
        if leg.imsi is None:
            self.counts["context of an unknown UE"] += 1
            return
        ue = self._known(leg.imsi)
        if leg.accepted:
            ue.bearers, ue.fed = dict(leg.bearers), ()
        elif leg.attaching:  # the answer could not be read: whatever the UE had before is void
            ue.bearers = {}
        leg.accepted = leg.attaching = False
        self.hold(ue)
        self.take_over(ue, leg)
        if ue.addresses:
            ue.state = State.ATTACHED
            self.announce(ue, Happening.ATTACHED)
        else:
            ue.state = State.WAITING
            self.counts["waiting for an address"] += 1
        self.keep(ue)

    def moved(self, ue: Ue, leg: Leg) -> None:
        """A UE with its context has come to `leg`."""
        self.take_over(ue, leg)
        if ue.addresses:
            ue.state = State.MOVED
            self.announce(ue, Happening.MOVED)
        self.keep(ue)

    def resume(self, ue: Ue, leg: Leg) -> None:
        """A connection of which only the mirror was interrupted goes on: nobody has to be told."""
        leg.imsi, leg.context = ue.imsi, True
        ue.announced = (leg.association.id, leg.enb_ue_id, frozenset(ue.addresses))
        self.take_over(ue, leg)
        ue.state = State.ATTACHED if ue.addresses else State.WAITING
        self.keep(ue)

    def detach(self, leg: Leg) -> None:
        """The UE of a leg leaves the network, unless it has turned up on a later leg."""
        ue = self.find(leg.imsi) if leg.imsi is not None else None
        if ue is None or (ue.leg is not None and ue.leg.order > leg.order) or ue.state is State.DETACHED:
            return
        self.take_over(ue, leg)
        ue.state = State.DETACHED
        self._tell(ue, Happening.DETACHED, ue.addresses)
        ue.announced = (None, None, frozenset())
        ue.bearers, ue.fed = {}, ()
        self.hold(ue)
        self.keep(ue)

    def set_bearers(self, leg: Leg, bearers: dict[int, tuple[str, ...]]) -> None:
        """The addresses of a leg that is set up, by E-RAB id, have changed."""
        leg.bearers = bearers
        ue = self.current(leg)
        if ue is None or not leg.context or ue.bearers == bearers:
            return
        ue.bearers = dict(bearers)
        self.hold(ue)
        if ue.state is State.WAITING and ue.addresses:
            ue.state = State.ATTACHED
        association, enb_ue_id, told = ue.announced
        ue.announced = (association, enb_ue_id, told & ue.held)
        self.announce(ue, Happening.ATTACHED)
        self.keep(ue)

    def announce(self, ue: Ue, happening: Happening) -> None:
        """Tell identity providers what they do not know: again on the same connection only with a new eNB id."""
        place = (ue.leg.association.id if ue.leg is not None else None, ue.enb_ue_id)
        known = ue.announced[2] if ue.announced[:2] == place else frozenset()
        ue.announced = (*place, ue.held)
        self._tell(ue, happening, [address for address in ue.addresses if address not in known])

    def hold(self, ue: Ue) -> None:
        """The addresses of a UE have changed; another's address that is given to it is the other's no more."""
        for loser in self._addresses.update(ue):
            self.counts["addresses taken over"] += 1
            self.effects.append(Keep(loser))

    def take_over(self, ue: Ue, leg: Leg) -> None:
        """`leg` is where the UE is."""
        self._attached(leg)
        ue.leg = leg
        ue.enb_ue_id = leg.enb_ue_id
        ue.mme_ue_id, ue.mme = leg.mme_ue_id, leg.mme
        self.locate(ue, leg)

    def locate(self, ue: Ue, leg: Leg) -> None:
        """The UE is in the cell and area of the leg."""
        ue.cell = leg.cell or ue.cell
        ue.area = leg.area or ue.area
        ue.enb = leg.association.enb

    def _attached(self, leg: Leg) -> None:
        key = imsis.key(leg.imsi or "")
        if self._attaching.get(key) is leg:
            del self._attaching[key]

    def _tell(self, ue: Ue, happening: Happening, addresses: list[str]) -> None:
        if addresses:
            identities = tuple(
                Identity(happening, ue.imsi, address, ue.enb_ue_id, ue.mme_ue_id, ue.cell, ue.area)
                for address in addresses
            )
            self.effects.append(Announce(ue, identities))

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
        self._remove(oldest)
        self.effects.append(Forget((oldest.key,), ()))

    def _remove(self, ue: Ue) -> None:
        ue.bearers, ue.fed, ue.leg = {}, (), None
        self._addresses.update(ue)
        del self._ues[ue.key]
