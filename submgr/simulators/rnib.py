# SPDX-License-Identifier: Apache-2.0
"""R-NIB entries of the simulated E2 nodes, as the near-RT RIC's E2 Manager writes them into the SDL.

{e2Manager},GNB                             set of protobuf NbIdentity
{e2Manager},RAN:<name>                      protobuf NodebInfo
{e2Manager},RAN_CONNECTION_STATUS_CHANGE    channel, `<name>_CONNECTED` and so on
"""

from __future__ import annotations

from functools import cache

import redis

from submgr.simulators.kpm_reports import functions
from submgr.simulators.nodes import NodeState

NAMES = "{e2Manager},GNB"
CHANNEL = "{e2Manager},RAN_CONNECTION_STATUS_CHANGE"

# ConnectionStatus of R-NIB's entities.
_STATUS = {NodeState.CONNECTED: 1, NodeState.DISCONNECTED: 2, NodeState.UNDER_RESET: 7}
_GNB = 2  # Node.Type
TIMEOUT = 2.0


def node_key(name: str) -> str:
    """Key of the node's NodebInfo."""
    return f"{{e2Manager}},RAN:{name}"


def nb_identity(name: str, state: NodeState) -> bytes:
    """Protobuf NbIdentity: inventory_name is field 1, global_nb_id 2, connection_status 3."""
    global_nb_id = _text(1, "208092") + _text(2, format(_nb_id(name), "029b"))
    return _text(1, name) + _bytes(2, global_nb_id) + _number(3, _STATUS[state])


def nodeb_info(name: str, state: NodeState) -> bytes:
    """Protobuf NodebInfo: ran_name is field 1, ip 2, port 3, connection_status 5, node_type 7, gnb 9."""
    begin = _text(1, name) + _text(2, "127.0.0.1") + _number(3, 36422) + _number(5, _STATUS[state])
    return begin + _number(7, _GNB) + _bytes(9, _gnb())


@cache
def _gnb() -> bytes:
    """Protobuf Gnb: ran_functions are field 2. Of each the id is field 1, definition (in hex) 2, revision 3, OID 4."""
    announced = b""
    for one in functions():
        definition = _text(2, one.definition.hex())
        announced += _bytes(2, _number(1, one.id) + definition + _number(3, one.revision) + _text(4, one.oid))
    return announced


def _nb_id(name: str) -> int:
    """A gNB id of 29 bits, the longest there is."""
    return int.from_bytes(name.encode()[-4:], "big") & (1 << 29) - 1


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


class RnibWriter:
    """Writes the states of nodes into R-NIB. Raises redis.RedisError when redis does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: redis.Redis | None = None

    def start(self) -> None:
        """Connects. Raises redis.RedisError when the database does not answer."""
        self._redis = redis.Redis.from_url(self._url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        self._redis.ping()

    def stop(self) -> None:
        """Closes the connection. The entries stay, as they do when E2 Manager ends."""
        if self._redis is not None:
            self._redis.close()
            self._redis = None

    def write(self, name: str, state: NodeState) -> None:
        """Writes a state and publishes its change, as one transaction."""
        if self._redis is None:
            return
        transaction = self._redis.pipeline(transaction=True)
        for other in NodeState:
            if other is not state:
                transaction.srem(NAMES, nb_identity(name, other))
        transaction.sadd(NAMES, nb_identity(name, state))
        transaction.set(node_key(name), nodeb_info(name, state))
        transaction.publish(CHANNEL, f"{name}_{state.value}")
        transaction.execute()
