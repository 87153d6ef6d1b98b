# SPDX-License-Identifier: Apache-2.0
"""Reads from each S1AP procedure what it says about UEs, and changes the tables accordingly (3GPP TS 36.413)."""

from collections.abc import Callable

from mec.controller.model import Area, Association, Cell, Effect, Enb, S1Connection, Ue
from mec.controller.nas_procedures import NasProcedures
from mec.controller.protocol import s1ap, s1ap_ies
from mec.controller.protocol.nas_message import Kind
from mec.controller.protocol.s1ap import Ie, Outcome, Procedure, S1apError, optional_number, plmn_of, whole_number
from mec.controller.ues.gutis import LIFETIME
from mec.controller.ues.handovers import Handovers
from mec.controller.ues.s1_connections import S1Connections
from mec.controller.ues.ue_table import UeTable

Ies = dict[int, bytes]
Handler = Callable[[Association, Ies], None]

_NOTHING: list[Effect] = []
_ALL_BEARERS = frozenset(range(16))
_ENDED = (
    Ie.E_RABS_TO_BE_RELEASED,
    Ie.E_RABS_RELEASED,
    Ie.E_RABS_NOT_SET_UP,
    Ie.E_RABS_NOT_SET_UP_CONTEXT,
    Ie.E_RABS_RELEASED_AT_MODIFICATION,
    Ie.E_RABS_NOT_RESUMED,
    Ie.E_RABS_NOT_RESUMED_BY_MME,
)
_SETS_UP = (Kind.ATTACH_ACCEPT, Kind.SERVICE_ACCEPT)
"""NAS messages in a Downlink NAS Transport by which a UE without E-RABs is in the network (control plane CIoT)."""


class Identities:
    """Takes the S1AP PDUs of all associations, returns effects. No PDU makes it raise.

    `pdus` counts PDUs by (outcome, procedure code). Of a PDU that says nothing about UEs only the header is read.
    """

    def __init__(self, max_ues: int = 1_000_000, implicit_detach: float = LIFETIME) -> None:
        self.ues = UeTable(max_ues, implicit_detach)
        self.connections = S1Connections(self.ues)
        self.pdus: dict[tuple[int, int], int] = {}
        self._handovers = Handovers()
        self._nas = NasProcedures(self.ues)
        start, success, failure = Outcome.INITIATING, Outcome.SUCCESSFUL, Outcome.UNSUCCESSFUL
        handlers: dict[tuple[Outcome, Procedure], Handler] = {
            (start, Procedure.INITIAL_UE_MESSAGE): self._initial_ue_message,
            (start, Procedure.UPLINK_NAS_TRANSPORT): self._uplink_nas,
            (start, Procedure.DOWNLINK_NAS_TRANSPORT): self._downlink_nas,
            (start, Procedure.INITIAL_CONTEXT_SETUP): self._context_setup,
            (success, Procedure.INITIAL_CONTEXT_SETUP): self._bearers_ended,
            (failure, Procedure.INITIAL_CONTEXT_SETUP): self._context_failed,
            (start, Procedure.E_RAB_SETUP): self._bearers_setup,
            (success, Procedure.E_RAB_SETUP): self._bearers_ended,
            (start, Procedure.E_RAB_RELEASE): self._bearers_ended,
            (start, Procedure.E_RAB_RELEASE_INDICATION): self._bearers_ended,
            (success, Procedure.E_RAB_MODIFICATION_INDICATION): self._bearers_ended,
            (start, Procedure.UE_CONTEXT_RESUME): self._bearers_ended,
            (success, Procedure.UE_CONTEXT_RESUME): self._bearers_ended,
            (start, Procedure.PATH_SWITCH_REQUEST): self._path_switch,
            (success, Procedure.PATH_SWITCH_REQUEST): self._path_switched,
            (failure, Procedure.PATH_SWITCH_REQUEST): self._path_switch_failed,
            (start, Procedure.HANDOVER_PREPARATION): self._handover_required,
            (failure, Procedure.HANDOVER_PREPARATION): self._handover_cancel,
            (start, Procedure.HANDOVER_RESOURCE_ALLOCATION): self._handover_request,
            (success, Procedure.HANDOVER_RESOURCE_ALLOCATION): self._handover_acknowledge,
            (failure, Procedure.HANDOVER_RESOURCE_ALLOCATION): self._handover_failure,
            (start, Procedure.HANDOVER_CANCEL): self._handover_cancel,
            (start, Procedure.HANDOVER_NOTIFICATION): self._handover_notify,
            (start, Procedure.UE_CONTEXT_RELEASE): self._release_command,
            (success, Procedure.UE_CONTEXT_RELEASE): self._release_complete,
            (start, Procedure.RESET): self._reset,
            (start, Procedure.S1_SETUP): self._s1_setup,
            (success, Procedure.S1_SETUP): self._s1_setup_response,
            (start, Procedure.MME_CONFIGURATION_UPDATE): self._mme_configuration_update,
        }
        self._handlers = {(int(outcome), int(code)): each for (outcome, code), each in handlers.items()}

    def load(self, ues: list[Ue]) -> None:
        """Takes the UEs that were stored before a restart."""
        self.ues.load(ues)
        self.connections.load()

    def take(self, association: Association, pdu: bytes, now: float) -> list[Effect]:
        """Takes one PDU of at least four octets. `now` is in s since 1970."""
        if pdu[0] & 0x9F:
            self.ues.counts["undecodable"] += 1
            return _NOTHING
        kind = (pdu[0], pdu[1])
        self.pdus[kind] = self.pdus.get(kind, 0) + 1
        handler = self._handlers.get(kind)
        if handler is None:
            return _NOTHING
        self.ues.now = now
        try:
            handler(association, s1ap.ies_of(pdu))
        except S1apError:
            self.ues.counts["undecodable"] += 1
        return self.effects()

    def ended(self, association: Association, now: float) -> list[Effect]:
        """The TCP connection of an association has ended."""
        self.ues.now = now
        self._handovers.forget(association)
        self.connections.interrupt(association)
        return self.effects()

    def effects(self) -> list[Effect]:
        """The effects since the last call."""
        effects = self.ues.effects
        if effects:
            self.ues.effects = []
        return effects

    def _initial_ue_message(self, association: Association, ies: Ies) -> None:
        connection = self.connections.open(association, whole_number(ies, Ie.ENB_UE_S1AP_ID))
        self._place(connection, ies)
        self._nas.take(connection, _nas_pdu(ies), uplink=True)
        s_tmsi = ies.get(Ie.S_TMSI)
        if s_tmsi is not None:
            self._nas.by_s_tmsi(connection, s1ap.s_tmsi_of(s_tmsi))

    def _uplink_nas(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        self._place(connection, ies)
        self._nas.take(connection, _nas_pdu(ies), uplink=True)

    def _downlink_nas(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        message = self._nas.take(connection, _nas_pdu(ies), uplink=False)
        if message is not None and message.kind in _SETS_UP and not connection.context:
            self._set_up(connection)

    def _context_setup(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        bearers = s1ap_ies.bearers_with_nas(ies.get(Ie.E_RABS_TO_BE_SETUP_CONTEXT, b""))
        for _, message in bearers:
            self._nas.take(connection, message, uplink=False)
        self._nas.take(connection, _nas_pdu(ies), uplink=False)
        self._set_up(connection)

    def _set_up(self, connection: S1Connection) -> None:
        connection.context = True
        self.ues.settle(connection)

    def _context_failed(self, association: Association, ies: Ies) -> None:
        """The eNB could not set up the context: who was attaching is not attached, who was idle is idle again."""
        connection = self._connection(association, ies)
        if connection.by_attach:
            self.ues.detach(connection)
        else:
            self.ues.unbind(connection)
        connection.context = False

    def _bearers_setup(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        bearers = s1ap_ies.further_bearers_with_nas(ies.get(Ie.E_RABS_TO_BE_SETUP_BEARER, b""))
        for _, message in bearers:
            self._nas.take(connection, message, uplink=False)

    def _bearers_ended(self, association: Association, ies: Ies) -> None:
        """The bearers that either side has released, or could not set up, have ended."""
        connection = self._connection(association, ies)
        gone = [bearer for name in _ENDED if name in ies for bearer in s1ap.bearer_ids(ies[name])]
        if gone:
            self.ues.drop_bearers(connection, gone)

    def _path_switch(self, association: Association, ies: Ies) -> None:
        enb_ue_id = whole_number(ies, Ie.ENB_UE_S1AP_ID)
        mme_ue_id = whole_number(ies, Ie.SOURCE_MME_UE_S1AP_ID)
        source = self.connections.at_mme(association, mme_ue_id)
        connection = self._arrival(association, enb_ue_id, mme_ue_id, ies, source, may_fail=True)
        switched = s1ap.bearer_ids(ies[Ie.E_RABS_SWITCHED]) if Ie.E_RABS_SWITCHED in ies else None
        if switched is not None:
            self.ues.drop_bearers(connection, _ALL_BEARERS.difference(switched))

    def _path_switched(self, association: Association, ies: Ies) -> None:
        self.connections.agreed(self._connection(association, ies))
        self._bearers_ended(association, ies)

    def _path_switch_failed(self, association: Association, ies: Ies) -> None:
        self.connections.refused(self._connection(association, ies))

    def _handover_required(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        container = ies.get(Ie.SOURCE_TO_TARGET_CONTAINER)
        if container is not None:
            self._handovers.required(connection, container)

    def _handover_request(self, association: Association, ies: Ies) -> None:
        mme_ue_id = whole_number(ies, Ie.MME_UE_S1AP_ID)
        container = ies.get(Ie.SOURCE_TO_TARGET_CONTAINER)
        source = self._handovers.source_of(container) if container is not None else None
        source = source or self.connections.at_mme(association, mme_ue_id)
        if source is not None:
            self._handovers.expect(association, mme_ue_id, source)

    def _handover_acknowledge(self, association: Association, ies: Ies) -> None:
        if Ie.E_RABS_NOT_ADMITTED in ies:
            bearers = s1ap.bearer_ids(ies[Ie.E_RABS_NOT_ADMITTED])
            self._handovers.not_admitted(association, whole_number(ies, Ie.MME_UE_S1AP_ID), bearers)

    def _handover_failure(self, association: Association, ies: Ies) -> None:
        self._handovers.discard(association, whole_number(ies, Ie.MME_UE_S1AP_ID))

    def _handover_cancel(self, association: Association, ies: Ies) -> None:
        self._handovers.cancel(self._connection(association, ies))

    def _handover_notify(self, association: Association, ies: Ies) -> None:
        enb_ue_id = whole_number(ies, Ie.ENB_UE_S1AP_ID)
        mme_ue_id = whole_number(ies, Ie.MME_UE_S1AP_ID)
        expected = self._handovers.arrived(association, mme_ue_id)
        if expected is not None and expected.source is None:
            self.ues.counts["handovers called off"] += 1
            return
        source = expected.source if expected is not None else self.connections.at_mme(association, mme_ue_id)
        connection = self._arrival(association, enb_ue_id, mme_ue_id, ies, source)
        if expected is not None and expected.not_admitted:
            self.ues.drop_bearers(connection, expected.not_admitted)

    def _arrival(
        self,
        association: Association,
        enb_ue_id: int,
        mme_ue_id: int,
        ies: Ies,
        source: S1Connection | None,
        may_fail: bool = False,
    ) -> S1Connection:
        cell, area = self._where(ies)
        if source is not None:
            return self.connections.move(association, enb_ue_id, mme_ue_id, cell, area, source, may_fail)
        return self.connections.arrive(association, enb_ue_id, mme_ue_id, cell, area)

    def _release_command(self, association: Association, ies: Ies) -> None:
        mme_ue_id, enb_ue_id = s1ap_ies.released_context(ies.get(Ie.UE_S1AP_IDS, b""))
        if enb_ue_id is None:
            connection = self.connections.at_mme(association, mme_ue_id)
        else:
            connection = association.connections.get(enb_ue_id)
        if connection is not None and s1ap.is_detach(ies.get(Ie.CAUSE, b"")):
            self._nas.released(connection)
        self._close(association, connection)

    def _release_complete(self, association: Association, ies: Ies) -> None:
        self._close(association, association.connections.get(whole_number(ies, Ie.ENB_UE_S1AP_ID)))

    def _reset(self, association: Association, ies: Ies) -> None:
        named = s1ap_ies.reset_connections(ies.get(Ie.RESET_TYPE, b""))
        if named is None:
            self.connections.close_all(association)
            return
        for mme_ue_id, enb_ue_id in named:
            if enb_ue_id is not None:
                self._close(association, association.connections.get(enb_ue_id))
            elif mme_ue_id is not None:
                self._close(association, self.connections.at_mme(association, mme_ue_id))

    def _s1_setup(self, association: Association, ies: Ies) -> None:
        self.connections.close_all(association)
        association.gummeis, association.mme_name = (), None
        plmn, number, _ = s1ap_ies.enb_of(ies.get(Ie.GLOBAL_ENB_ID, b""))
        association.enb = Enb(*plmn_of(plmn), number)

    def _s1_setup_response(self, association: Association, ies: Ies) -> None:
        self.connections.mmes.serves(association, s1ap_ies.served_gummeis(ies.get(Ie.SERVED_GUMMEIS, b"")))

    def _mme_configuration_update(self, association: Association, ies: Ies) -> None:
        if Ie.SERVED_GUMMEIS in ies:
            self._s1_setup_response(association, ies)

    def _connection(self, association: Association, ies: Ies) -> S1Connection:
        mme_ue_id = optional_number(ies, Ie.MME_UE_S1AP_ID)
        return self.connections.seen(association, whole_number(ies, Ie.ENB_UE_S1AP_ID), mme_ue_id)

    def _close(self, association: Association, connection: S1Connection | None) -> None:
        if connection is not None and connection.association is association:
            self.connections.close(connection)

    def _place(self, connection: S1Connection, ies: Ies) -> None:
        self.connections.place(connection, *self._where(ies))

    def _where(self, ies: Ies) -> tuple[Cell | None, Area | None]:
        cell, area = ies.get(Ie.EUTRAN_CGI), ies.get(Ie.TAI)
        try:
            return (
                s1ap.cell_of(cell) if cell is not None else None,
                s1ap.area_of(area) if area is not None else None,
            )
        except S1apError:  # where it is, is not worth losing who it is
            self.ues.counts["unreadable places"] += 1
            return None, None


def _nas_pdu(ies: Ies) -> bytes | None:
    value = ies.get(Ie.NAS_PDU)
    return s1ap.octets(value) if value is not None else None
