# SPDX-License-Identifier: Apache-2.0
"""Changes the tables as NAS messages say: who a UE is, which addresses it has, whether it is in the network (24.301).

A message takes something away from a UE only when the network says so. Anybody can send a detach request with a
foreign IMSI, and only the MME can check an integrity protection.
"""

from mec.controller.model import Leaving, S1Connection
from mec.controller.protocol import nas
from mec.controller.protocol.nas_message import Kind, Nas, NasError
from mec.controller.ues.ue_table import UeTable

_ENDS_EPS = frozenset({3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 35, 40, 42})
"""EMM causes of a reject after which the UE is not in EPS any more (24.301, 5.5.1.2.5, 5.5.3.2.5, 5.6.1.5)."""
_NOT_WHO_IT_SAYS = frozenset({3, 5, 6, 9})
"""Those that the MME gives to somebody whose identity it could not confirm."""
_REJECTS = (Kind.ATTACH_REJECT, Kind.AREA_UPDATE_REJECT, Kind.SERVICE_REJECT)


class NasProcedures:
    """Takes the NAS messages of S1 connections."""

    def __init__(self, ues: UeTable) -> None:
        self._ues = ues

    def take(self, connection: S1Connection, data: bytes | None, *, uplink: bool) -> Nas | None:
        """Takes one NAS PDU, and returns the message in it if it can be read. Does nothing for None."""
        if data is None:
            return None
        try:
            message = nas.read(data, uplink, connection.ciphering)
        except NasError:
            self._ues.counts["unreadable NAS"] += 1
            return None
        if message.imsi is not None or message.guti is not None:
            connection.protected = nas.is_protected(data)
        if message.imsi is not None:
            self._named(connection, message.imsi)
        if uplink:
            self._from_ue(connection, message)
        else:
            self._from_network(connection, message)
        return message

    def by_s_tmsi(self, connection: S1Connection, s_tmsi: bytes) -> None:
        """The UE of an S1 connection gives its S-TMSI (5 octets)."""
        if connection.imsi is None:
            gummeis = connection.association.gummeis
            self._found(connection, self._ues.gutis.imsi_of_s_tmsi(s_tmsi, gummeis, self._ues.now))

    def released(self, connection: S1Connection) -> None:
        """The MME releases an S1 connection because its UE has detached."""
        unreadable = connection.ciphering not in (None, 0)
        if connection.leaving is Leaving.EPS or (connection.leaving is None and unreadable):
            self._ues.detach(connection)

    def _named(self, connection: S1Connection, imsi: str) -> None:
        """A UE whose context the MME has set up keeps its name: nobody comes to another's by saying it again."""
        if connection.imsi is None or not connection.context:
            self._ues.bind(connection, imsi)

    def _from_ue(self, connection: S1Connection, message: Nas) -> None:
        kind = message.kind
        if kind is Kind.CIPHERED:
            self._ues.counts["ciphered NAS"] += 1
        elif kind is Kind.ATTACH_REQUEST:
            connection.attaching = True
            self._look_up(connection, message)
        elif kind is Kind.AREA_UPDATE_REQUEST:
            self._look_up(connection, message)
        elif kind is Kind.SERVICE_REQUEST:
            connection.protected = True
        elif kind is Kind.DETACH_REQUEST:
            self._look_up(connection, message)
            self._leaves(connection, message)
        elif kind is Kind.DEFAULT_BEARER_REJECT and message.bearer is not None:
            self._ues.drop_bearers(connection, (message.bearer,))

    def _from_network(self, connection: S1Connection, message: Nas) -> None:
        kind = message.kind
        if kind is Kind.CIPHERED:
            self._ues.counts["ciphered NAS"] += 1
        elif kind is Kind.SECURITY_MODE:
            connection.ciphering = message.ciphering
        elif kind is Kind.ATTACH_ACCEPT:
            connection.accepted = True
            connection.bearers = _addresses(message)
            self._learn(connection, message)
            if connection.context and self._ues.current(connection) is not None:
                self._ues.settle(connection)
        elif kind in (Kind.AREA_UPDATE_ACCEPT, Kind.SERVICE_ACCEPT):
            self._learn(connection, message)
            if message.active is not None:
                self._ues.drop_bearers(connection, frozenset(range(16)) - message.active)
        elif kind is Kind.GUTI_REALLOCATION:
            self._learn(connection, message)
        elif kind is Kind.DEFAULT_BEARER and message.bearer is not None:
            self._ues.add_bearer(connection, message.bearer, message.addresses)
        elif kind is Kind.DEACTIVATE_BEARER and message.bearer is not None:
            self._ues.drop_bearers(connection, (message.bearer,))
        elif kind is Kind.DETACH_REQUEST and not message.non_eps_only:
            self._ues.detach(connection)
        elif kind is Kind.DETACH_ACCEPT:
            self._left(connection)
        elif kind is Kind.AUTHENTICATION_REJECT:
            self._not_who_it_says(connection)
        elif kind in _REJECTS:
            self._rejected(connection, message)

    def _leaves(self, connection: S1Connection, message: Nas) -> None:
        """The UE asks to leave. A UE that is elsewhere, or did not protect its request, stays until the MME agrees."""
        connection.leaving = Leaving.NON_EPS_ONLY if message.non_eps_only else Leaving.EPS
        if connection.leaving is Leaving.EPS and connection.protected and not self._ues.is_elsewhere(connection):
            self._ues.detach(connection)

    def _left(self, connection: S1Connection) -> None:
        """The MME agrees. Without a request that could be read it is about EPS."""
        if connection.leaving is not Leaving.NON_EPS_ONLY:
            self._ues.detach(connection)
        connection.leaving = None

    def _not_who_it_says(self, connection: S1Connection) -> None:
        connection.leaving = None
        connection.attaching = False
        if not connection.context:
            self._ues.unbind(connection)
            connection.imsi = None

    def _rejected(self, connection: S1Connection, message: Nas) -> None:
        """The reject may be for somebody who gave a foreign identity: two reasons to think so are enough."""
        connection.leaving = None
        connection.attaching = False
        if message.cause not in _ENDS_EPS:
            return
        doubts = (
            self._ues.is_elsewhere(connection),
            not connection.protected,
            message.cause in _NOT_WHO_IT_SAYS,
        )
        if self._ues.current(connection) is not None or sum(doubts) < 2:
            self._ues.detach(connection)

    def _look_up(self, connection: S1Connection, message: Nas) -> None:
        if message.guti is not None and connection.imsi is None:
            self._found(connection, self._ues.gutis.imsi_of(message.guti, self._ues.now))

    def _found(self, connection: S1Connection, imsi: str | None) -> None:
        if imsi is None:
            self._ues.counts["unknown temporary identities"] += 1
        else:
            self._ues.bind(connection, imsi)

    def _learn(self, connection: S1Connection, message: Nas) -> None:
        if message.guti is not None and connection.imsi is not None:
            self._ues.learn(connection.imsi, message.guti)


def _addresses(message: Nas) -> dict[int, tuple[str, ...]]:
    return {message.bearer: message.addresses} if message.bearer is not None and message.addresses else {}
