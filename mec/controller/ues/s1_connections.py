# SPDX-License-Identifier: Apache-2.0
"""The UE-associated S1 connections that are under way, and how they change places."""

from mec.controller.model import Area, Association, Cell, Leg, State, Ue
from mec.controller.ues.mme_ids import MmeIds
from mec.controller.ues.ue_table import UeTable

MAX_LEGS = 100_000
"""Of one association; beyond it the oldest goes."""
_MAX_IDS = 1_000_000


class Legs:
    """Legs by association and eNB id, and by MME and MME id."""

    def __init__(self, ues: UeTable) -> None:
        self._ues = ues
        self._by_mme: MmeIds[Leg] = MmeIds(_MAX_IDS)
        self._interrupted: MmeIds[Ue] = MmeIds(_MAX_IDS)
        self._order = 0

    def load(self) -> None:
        """The connections of before the restart may go on."""
        for ue in self._ues.all():
            if ue.state is State.IDLE and ue.mme is not None and ue.mme_ue_id is not None:
                self._interrupted.put(ue.mme, ue.mme_ue_id, ue)

    def open(self, association: Association, enb_ue_id: int) -> Leg:
        """A new leg, in the place of one with the same id."""
        old = association.legs.get(enb_ue_id)
        if old is None and len(association.legs) >= MAX_LEGS:
            old = next(iter(association.legs.values()))
            self._ues.counts["legs dropped"] += 1
        if old is not None:
            self.close(old)
        self._order += 1
        leg = association.legs[enb_ue_id] = Leg(association, enb_ue_id, self._order)
        return leg

    def close(self, leg: Leg) -> None:
        """A leg is gone."""
        self._unlink(leg)
        self._ues.unbind(leg)

    def close_all(self, association: Association) -> None:
        """All legs of an association are gone: S1 is set up anew, or reset."""
        for leg in list(association.legs.values()):
            self.close(leg)

    def interrupt(self, association: Association) -> None:
        """The mirror of an association has ended; the association itself may go on behind it."""
        for leg in list(association.legs.values()):
            ue = self._ues.current(leg)
            self.close(leg)
            if ue is not None and ue.state is State.IDLE and leg.mme is not None and leg.mme_ue_id is not None:
                ue.enb_ue_id, ue.mme, ue.mme_ue_id = leg.enb_ue_id, leg.mme, leg.mme_ue_id
                self._interrupted.put(leg.mme, leg.mme_ue_id, ue)

    def seen(self, association: Association, enb_ue_id: int, mme_ue_id: int | None) -> Leg:
        """The leg that a PDU is about; a new one when its beginning was not seen."""
        leg = association.legs.get(enb_ue_id)
        if leg is None:
            leg = self.open(association, enb_ue_id)
            self._ues.counts["legs joined"] += 1
            if mme_ue_id is not None:
                self.identify(leg, mme_ue_id)
                ue = self._take_interrupted(association, mme_ue_id, enb_ue_id)
                if ue is not None:
                    self._ues.resume(ue, leg)
        elif mme_ue_id is not None:
            self.identify(leg, mme_ue_id)
        return leg

    def identify(self, leg: Leg, mme_ue_id: int) -> None:
        """The MME's id of a leg."""
        if leg.mme_ue_id == mme_ue_id:
            return
        if leg.mme is not None and leg.mme_ue_id is not None:
            self._by_mme.drop(leg.mme, leg.mme_ue_id, leg)
        leg.mme, leg.mme_ue_id = leg.association.mme, mme_ue_id
        self._by_mme.put(leg.mme, mme_ue_id, leg)
        ue = self._ues.current(leg)
        if ue is not None:
            ue.mme, ue.mme_ue_id = leg.mme, mme_ue_id
            self._ues.keep(ue)

    def at_mme(self, association: Association, mme_ue_id: int) -> Leg | None:
        """The leg that the MME of an association knows by this id, whichever eNB it is at."""
        return self._by_mme.find(association, mme_ue_id)

    def place(self, leg: Leg, cell: Cell | None, area: Area | None) -> None:
        """Where a leg's UE is, as far as it is told."""
        if cell in (None, leg.cell) and area in (None, leg.area):
            return
        leg.cell, leg.area = cell or leg.cell, area or leg.area
        ue = self._ues.current(leg)
        if ue is not None:
            self._ues.locate(ue, leg)
            self._ues.keep(ue)

    def move(
        self, association: Association, enb_ue_id: int, mme_ue_id: int, cell: Cell | None, area: Area | None, old: Leg
    ) -> None:
        """The UE of `old` is at this association by this id from now on."""
        if old.association is association and old.enb_ue_id == enb_ue_id:
            self.place(old, cell, area)
            return
        ue = self._ues.current(old)
        self._unlink(old)
        new = self.open(association, enb_ue_id)
        new.ciphering, new.context, new.bearers = old.ciphering, old.context, old.bearers
        new.attaching, new.accepted = old.attaching, old.accepted
        self.identify(new, mme_ue_id)
        self.place(new, cell, area)
        if ue is not None:
            new.imsi = ue.imsi
            self._ues.moved(ue, new)
        elif old.imsi is not None and not old.context:  # in the middle of attaching
            self._ues.unbind(old)
            self._ues.bind(new, old.imsi)
        else:
            self._ues.counts["moved an unknown UE"] += 1

    def arrive(
        self, association: Association, enb_ue_id: int, mme_ue_id: int, cell: Cell | None, area: Area | None
    ) -> None:
        """A UE has come whose leg before is not known: it may be one of before an interruption."""
        ue = self._take_interrupted(association, mme_ue_id, None)
        leg = self.open(association, enb_ue_id)
        self.identify(leg, mme_ue_id)
        self.place(leg, cell, area)
        leg.context = True
        if ue is None:
            self._ues.counts["moved an unknown UE"] += 1
            return
        leg.imsi = ue.imsi
        self._ues.moved(ue, leg)

    def _take_interrupted(self, association: Association, mme_ue_id: int, enb_ue_id: int | None) -> Ue | None:
        ue = self._interrupted.find(association, mme_ue_id)
        if ue is None or (enb_ue_id is not None and ue.enb_ue_id != enb_ue_id):
            return None
        if ue.leg is not None or ue.state is not State.IDLE or self._ues.find(ue.imsi) is not ue or ue.mme is None:
            return None
        self._interrupted.drop(ue.mme, mme_ue_id, ue)
        return ue

    def _unlink(self, leg: Leg) -> None:
        association = leg.association
        if association.legs.get(leg.enb_ue_id) is leg:
            del association.legs[leg.enb_ue_id]
        if leg.mme is not None and leg.mme_ue_id is not None:
            self._by_mme.drop(leg.mme, leg.mme_ue_id, leg)
