# SPDX-License-Identifier: Apache-2.0
"""Reads from each S1AP procedure what it says about UEs, and changes the tables accordingly (3GPP TS 36.413)."""

from collections.abc import Callable

from mec.controller.model import Area, Association, Cell, Effect, Enb, S1Connection, Ue
from mec.controller.protocol import nas, s1ap, s1ap_ies
from mec.controller.protocol.nas import Kind, Nas, NasError
from mec.controller.protocol.s1ap import Ie, Outcome, Procedure, S1apError, optional_number, plmn_of, whole_number
from mec.controller.ues.handovers import Handovers
from mec.controller.ues.s1_connections import S1Connections
from mec.controller.ues.ue_table import UeTable

Ies = dict[int, bytes]
Handler = Callable[[Association, Ies], None]

_NOTHING: list[Effect] = []


class Identities:
    """Takes the S1AP PDUs of all associations, returns effects. No PDU makes it raise.

    `pdus` counts PDUs by (outcome, procedure code). Of a PDU that says nothing about UEs only the header is read.
    """

    def __init__(self, max_ues: int = 1_000_000) -> None:
        self.ues = UeTable(max_ues)
        self.connections = S1Connections(self.ues)
        self.pdus: dict[tuple[int, int], int] = {}
        self._handovers = Handovers()
        start, success, failure = Outcome.INITIATING, Outcome.SUCCESSFUL, Outcome.UNSUCCESSFUL
        handlers: dict[tuple[Outcome, Procedure], Handler] = {
            (start, Procedure.INITIAL_UE_MESSAGE): self._initial_ue_message,
            (start, Procedure.UPLINK_NAS_TRANSPORT): self._uplink_nas,
            (start, Procedure.DOWNLINK_NAS_TRANSPORT): self._downlink_nas,
            (start, Procedure.INITIAL_CONTEXT_SETUP): self._context_setup,
            (start, Procedure.E_RAB_SETUP): self._bearers_setup,
            (start, Procedure.E_RAB_RELEASE): self._bearers_released,
            (start, Procedure.E_RAB_RELEASE_INDICATION): self._bearers_released,
            (start, Procedure.PATH_SWITCH_REQUEST): self._path_switch,
            (success, Procedure.PATH_SWITCH_REQUEST): self._path_switched,
            (start, Procedure.HANDOVER_PREPARATION): self._handover_required,
            (start, Procedure.HANDOVER_RESOURCE_ALLOCATION): self._handover_request,
            (failure, Procedure.HANDOVER_RESOURCE_ALLOCATION): self._handover_failure,
            (start, Procedure.HANDOVER_CANCEL): self._handover_cancel,
            (start, Procedure.HANDOVER_NOTIFICATION): self._handover_notify,
            (start, Procedure.UE_CONTEXT_RELEASE): self._release_command,
            (success, Procedure.UE_CONTEXT_RELEASE): self._release_complete,
            (start, Procedure.RESET): self._reset,
            (start, Procedure.S1_SETUP): self._s1_setup,
            (success, Procedure.S1_SETUP): self._s1_setup_response,
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
        self._nas(connection, ies.get(Ie.NAS_PDU), uplink=True, s_tmsi=ies.get(Ie.S_TMSI))

    def _uplink_nas(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        self._place(connection, ies)
        self._nas(connection, ies.get(Ie.NAS_PDU), uplink=True)

    def _downlink_nas(self, association: Association, ies: Ies) -> None:
        self._nas(self._connection(association, ies), ies.get(Ie.NAS_PDU), uplink=False)

    def _context_setup(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        bearers = s1ap_ies.bearers_with_nas(ies.get(Ie.E_RABS_TO_BE_SETUP_CONTEXT, b""))
        for _, message in bearers:
            self._message(connection, message, uplink=False)
        self._nas(connection, ies.get(Ie.NAS_PDU), uplink=False)
        connection.context = True
        self.ues.settle(connection)

    def _bearers_setup(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        bearers = s1ap_ies.further_bearers_with_nas(ies.get(Ie.E_RABS_TO_BE_SETUP_BEARER, b""))
        for _, message in bearers:
            self._message(connection, message, uplink=False)

    def _bearers_released(self, association: Association, ies: Ies) -> None:
        connection = self._connection(association, ies)
        value = ies.get(Ie.E_RABS_TO_BE_RELEASED) or ies.get(Ie.E_RABS_RELEASED)
        gone = set(s1ap_ies.released_bearers(value or b""))
        ue = self.ues.current(connection)
        held = ue.bearers if ue is not None else connection.bearers
        self.ues.set_bearers(connection, {number: each for number, each in held.items() if number not in gone})

    def _path_switch(self, association: Association, ies: Ies) -> None:
        enb_ue_id = whole_number(ies, Ie.ENB_UE_S1AP_ID)
        mme_ue_id = whole_number(ies, Ie.SOURCE_MME_UE_S1AP_ID)
        self._arrival(association, enb_ue_id, mme_ue_id, ies, self.connections.at_mme(association, mme_ue_id))

    def _path_switched(self, association: Association, ies: Ies) -> None:
        self._connection(association, ies)

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

    def _handover_failure(self, association: Association, ies: Ies) -> None:
        self._handovers.discard(association, whole_number(ies, Ie.MME_UE_S1AP_ID))

    def _handover_cancel(self, association: Association, ies: Ies) -> None:
        self._handovers.cancel(self._connection(association, ies))

    def _handover_notify(self, association: Association, ies: Ies) -> None:
        enb_ue_id = whole_number(ies, Ie.ENB_UE_S1AP_ID)
        mme_ue_id = whole_number(ies, Ie.MME_UE_S1AP_ID)
        seen, source = self._handovers.arrived(association, mme_ue_id)
        if seen and source is None:
            self.ues.counts["handovers called off"] += 1
            return
        self._arrival(association, enb_ue_id, mme_ue_id, ies, source or self.connections.at_mme(association, mme_ue_id))

    def _arrival(
        self, association: Association, enb_ue_id: int, mme_ue_id: int, ies: Ies, source: S1Connection | None
    ) -> None:
        cell, area = self._where(ies)
        if source is not None:
            self.connections.move(association, enb_ue_id, mme_ue_id, cell, area, source)
        else:
            self.connections.arrive(association, enb_ue_id, mme_ue_id, cell, area)

    def _release_command(self, association: Association, ies: Ies) -> None:
        mme_ue_id, enb_ue_id = s1ap_ies.released_context(ies.get(Ie.UE_S1AP_IDS, b""))
        if enb_ue_id is None:
            self._close(association, self.connections.at_mme(association, mme_ue_id))
        else:
            self._close(association, association.connections.get(enb_ue_id))

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
        association.gummeis = ()
        plmn, number, _ = s1ap_ies.enb_of(ies.get(Ie.GLOBAL_ENB_ID, b""))
        association.enb = Enb(*plmn_of(plmn), number)

    def _s1_setup_response(self, association: Association, ies: Ies) -> None:
        association.gummeis = tuple(s1ap_ies.served_gummeis(ies.get(Ie.SERVED_GUMMEIS, b"")))

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

    def _nas(self, connection: S1Connection, value: bytes | None, *, uplink: bool, s_tmsi: bytes | None = None) -> None:
        """The NAS-PDU IE of a message, and the S-TMSI beside it."""
        self._message(connection, s1ap.octets(value) if value is not None else None, uplink=uplink)
        if s_tmsi is not None and connection.imsi is None:
            found = s1ap.s_tmsi_of(s_tmsi)
            self._found(connection, self.ues.gutis.imsi_of_s_tmsi(found, connection.association.gummeis, self.ues.now))

    def _message(self, connection: S1Connection, data: bytes | None, *, uplink: bool) -> None:
        if data is None:
            return
        try:
            message = nas.read(data, uplink, connection.ciphering)
        except NasError:
            self.ues.counts["unreadable NAS"] += 1
            return
        if message.imsi is not None:
            self.ues.bind(connection, message.imsi)
        self._act(connection, message)

    def _act(self, connection: S1Connection, message: Nas) -> None:
        kind = message.kind
        if kind is Kind.CIPHERED:
            self.ues.counts["ciphered NAS"] += 1
        elif kind is Kind.SECURITY_MODE:
            connection.ciphering = message.ciphering
        elif kind is Kind.ATTACH_REQUEST:
            connection.attaching = True
            self._look_up(connection, message)
        elif kind is Kind.AREA_UPDATE_REQUEST:
            self._look_up(connection, message)
        elif kind is Kind.ATTACH_ACCEPT:
            connection.accepted = True
            connection.bearers = _addresses(message)
            self._learn(connection, message)
            if connection.context and self.ues.current(connection) is not None:
                self.ues.settle(connection)
        elif kind in (Kind.AREA_UPDATE_ACCEPT, Kind.GUTI_REALLOCATION):
            self._learn(connection, message)
        elif kind is Kind.DEFAULT_BEARER:
            self._add_bearer(connection, message)
        elif kind in (Kind.DETACH_REQUEST, Kind.DETACH_ACCEPT):
            self._look_up(connection, message)
            self.ues.detach(connection)

    def _look_up(self, connection: S1Connection, message: Nas) -> None:
        if message.guti is not None and connection.imsi is None:
            self._found(connection, self.ues.gutis.imsi_of(message.guti, self.ues.now))

    def _found(self, connection: S1Connection, imsi: str | None) -> None:
        if imsi is None:
            self.ues.counts["unknown temporary identities"] += 1
        else:
            self.ues.bind(connection, imsi)

    def _learn(self, connection: S1Connection, message: Nas) -> None:
        if message.guti is not None and connection.imsi is not None:
            self.ues.learn(connection.imsi, message.guti)

    def _add_bearer(self, connection: S1Connection, message: Nas) -> None:
        ue = self.ues.current(connection)
        held = ue.bearers if ue is not None else connection.bearers
        self.ues.set_bearers(connection, {**held, **_addresses(message)})


def _addresses(message: Nas) -> dict[int, tuple[str, ...]]:
    return {message.bearer: message.addresses} if message.bearer is not None and message.addresses else {}
