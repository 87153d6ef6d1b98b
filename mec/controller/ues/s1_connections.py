# SPDX-License-Identifier: Apache-2.0
"""The UE-associated logical S1 connections: how they open, close, and move between eNBs."""

from mec.controller.model import Area, Association, Cell, S1Connection, State, Switch, Ue
from mec.controller.ues.mme_ids import MmeIds, MmeNames
from mec.controller.ues.ue_table import UeTable

MAX_S1_CONNECTIONS = 5_000
"""Of one association, more than an eNB serves; beyond it the oldest goes. All of them may end with one PDU."""
_MAX_IDS = 1_000_000


class S1Connections:
    """The S1 connections by association and eNB UE id, and by MME and MME UE id."""

    def __init__(self, ues: UeTable) -> None:
        self._ues = ues
        self.mmes = MmeNames()
        self._by_mme: MmeIds[S1Connection] = MmeIds(_MAX_IDS)
        self._interrupted: MmeIds[Ue] = MmeIds(_MAX_IDS)
        self._order = 0

    def load(self) -> None:
        """Expects the S1 connections of before the restart to go on."""
        for ue in self._ues.all():
            if ue.state is State.IDLE and ue.mme is not None and ue.mme_ue_id is not None:
                self._interrupted.put(ue.mme, ue.mme_ue_id, ue)

    def open(self, association: Association, enb_ue_id: int) -> S1Connection:
        """Opens an S1 connection, in the place of one with the same eNB UE id."""
        old = association.connections.get(enb_ue_id)
        if old is None and len(association.connections) >= MAX_S1_CONNECTIONS:
            old = next(iter(association.connections.values()))
            self._ues.counts["legs dropped"] += 1
        if old is not None:
            self.close(old)
        self._order += 1
        connection = association.connections[enb_ue_id] = S1Connection(association, enb_ue_id, self._order)
        return connection

    def close(self, connection: S1Connection) -> None:
        """Closes an S1 connection. Its UE is idle then."""
        self._unlink(connection)
        self._ues.unbind(connection)

    def close_all(self, association: Association) -> None:
        """Closes all S1 connections of an association: S1 is set up anew, or reset."""
        for connection in list(association.connections.values()):
            self.close(connection)

    def interrupt(self, association: Association) -> None:
        """The mirror of an association has ended. The association itself may go on."""
        for connection in list(association.connections.values()):
            ue = self._ues.current(connection)
            self.close(connection)
            if (
                ue is not None
                and ue.state is State.IDLE
                and connection.mme is not None
                and connection.mme_ue_id is not None
            ):
                ue.enb_ue_id, ue.mme, ue.mme_ue_id = connection.enb_ue_id, connection.mme, connection.mme_ue_id
                self._interrupted.put(connection.mme, connection.mme_ue_id, ue)

    def seen(self, association: Association, enb_ue_id: int, mme_ue_id: int | None) -> S1Connection:
        """The S1 connection that a PDU is about. It is opened when its beginning was not seen."""
        connection = association.connections.get(enb_ue_id)
        if connection is None:
            connection = self.open(association, enb_ue_id)
            self._ues.counts["legs joined"] += 1
            if mme_ue_id is not None:
                self.identify(connection, mme_ue_id)
                ue = self._take_interrupted(association, mme_ue_id, enb_ue_id)
                if ue is not None:
                    self._ues.resume(ue, connection)
        elif mme_ue_id is not None:
            self.identify(connection, mme_ue_id)
        return connection

    def identify(self, connection: S1Connection, mme_ue_id: int) -> None:
        """Notes the MME UE id of an S1 connection."""
        if connection.mme_ue_id == mme_ue_id:
            return
        if connection.mme is not None and connection.mme_ue_id is not None:
            self._by_mme.drop(connection.mme, connection.mme_ue_id, connection)
        connection.mme, connection.mme_ue_id = connection.association.mme, mme_ue_id
        self._by_mme.put(connection.mme, mme_ue_id, connection)
        ue = self._ues.current(connection)
        if ue is not None:
            ue.mme, ue.mme_ue_id = connection.mme, mme_ue_id
            self._ues.keep(ue)

    def at_mme(self, association: Association, mme_ue_id: int) -> S1Connection | None:
        """The S1 connection that the MME of an association knows by this id, at whichever eNB."""
        return self._by_mme.find(association, mme_ue_id)

    def place(self, connection: S1Connection, cell: Cell | None, area: Area | None) -> None:
        """Notes the cell and tracking area of an S1 connection, and of its UE."""
        if cell in (None, connection.cell) and area in (None, connection.area):
            return
        connection.cell, connection.area = cell or connection.cell, area or connection.area
        ue = self._ues.current(connection)
        if ue is not None:
            self._ues.locate(ue, connection)
            self._ues.keep(ue)

    def move(
        self,
        association: Association,
        enb_ue_id: int,
        mme_ue_id: int,
        cell: Cell | None,
        area: Area | None,
        old: S1Connection,
        may_fail: bool = False,
    ) -> S1Connection:
        """Moves the UE of `old` to this association and eNB UE id. With `may_fail` the MME still has to agree."""
        if old.association is association and old.enb_ue_id == enb_ue_id:
            self.place(old, cell, area)
            return old
        ue = self._ues.current(old)
        self.agreed(old)
        if ue is None or not may_fail:
            self._unlink(old)
        new = self.open(association, enb_ue_id)
        if ue is not None and may_fail:
            new.switch = Switch(old, ue.bearers)
        new.ciphering, new.context, new.bearers = old.ciphering, old.context, old.bearers
        new.attaching, new.accepted, new.by_attach = old.attaching, old.accepted, False
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
        return new

    def agreed(self, connection: S1Connection) -> None:
        """The MME has agreed to the path switch that has brought the UE here: its earlier S1 connection is gone."""
        switch, connection.switch = connection.switch, None
        if switch is not None:
            self._unlink(switch.source)

    def refused(self, connection: S1Connection) -> None:
        """The MME has not agreed: the UE is where it was, with all of its bearers, if that S1 connection is there."""
        switch, connection.switch = connection.switch, None
        ue = self._ues.current(connection)
        if switch is None or ue is None or not _is_open(switch.source):
            self.close(connection)
            return
        self._unlink(connection)
        source = switch.source
        if source.mme is not None and source.mme_ue_id is not None:
            self._by_mme.put(source.mme, source.mme_ue_id, source)
        self._ues.moved(ue, source, switch.bearers)

    def arrive(
        self, association: Association, enb_ue_id: int, mme_ue_id: int, cell: Cell | None, area: Area | None
    ) -> S1Connection:
        """A UE has arrived whose earlier S1 connection is not known; the mirror of that one may be interrupted."""
        ue = self._take_interrupted(association, mme_ue_id, None)
        connection = self.open(association, enb_ue_id)
        self.identify(connection, mme_ue_id)
        self.place(connection, cell, area)
        connection.context = True
        if ue is None:
            self._ues.counts["moved an unknown UE"] += 1
            return connection
        connection.imsi = ue.imsi
        self._ues.moved(ue, connection)
        return connection

    def _take_interrupted(self, association: Association, mme_ue_id: int, enb_ue_id: int | None) -> Ue | None:
        ue = self._interrupted.find(association, mme_ue_id)
        if ue is None or (enb_ue_id is not None and ue.enb_ue_id != enb_ue_id):
            return None
        if (
            ue.connection is not None
            or ue.state is not State.IDLE
            or self._ues.find(ue.imsi) is not ue
            or ue.mme is None
        ):
            return None
        self._interrupted.drop(ue.mme, mme_ue_id, ue)
        return ue

    def _unlink(self, connection: S1Connection) -> None:
        self.agreed(connection)
        if _is_open(connection):
            del connection.association.connections[connection.enb_ue_id]
        if connection.mme is not None and connection.mme_ue_id is not None:
            self._by_mme.drop(connection.mme, connection.mme_ue_id, connection)


def _is_open(connection: S1Connection) -> bool:
    return connection.association.connections.get(connection.enb_ue_id) is connection
