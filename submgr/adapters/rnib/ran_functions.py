# SPDX-License-Identifier: Apache-2.0
"""The RAN functions of E2 nodes. E2 Manager takes them from E2 Setup, and keeps them in the nodes' records in R-NIB."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct

from submgr.adapters.rnib.messages import fields

MOST_FUNCTIONS = 256
"""Of one node: E2AP maxofRANfunctionID."""
LONGEST_DEFINITION = 65_535

_FIRST_CONFIGURATION = 8
"""The lowest number that the configuration of a node has had in a release: Enb and Gnb have moved several times."""
_FUNCTIONS = 2
"""Number of the RAN functions in a Gnb."""
_ID, _DEFINITION, _REVISION, _OID = 1, 2, 3, 4


class RanFunction(Struct, frozen=True):
    """`definition`: the octets of the RAN function definition, of the service model that the OID names."""

    id: int
    revision: int
    oid: str
    definition: bytes


def read_functions(nodeb: bytes) -> tuple[RanFunction, ...]:
    """The RAN functions in a NodebInfo, by id; none when it has none, or cannot be read."""
    try:
        for number, configuration in fields(nodeb):
            if number >= _FIRST_CONFIGURATION and isinstance(configuration, bytes):
                found = _of_configuration(configuration)
                if found:
                    return found
    except ValueError:
        pass
    return ()


def _of_configuration(configuration: bytes) -> tuple[RanFunction, ...]:
    """What looks like a list of RAN functions: the field has cells in an Enb, and other releases have other fields."""
    functions: dict[int, RanFunction] = {}
    try:
        for number, part in fields(configuration):
            if number == _FUNCTIONS and isinstance(part, bytes) and len(functions) < MOST_FUNCTIONS:
                function = _function(part)
                functions[function.id] = function
    except ValueError:
        return ()
    return tuple(functions[number] for number in sorted(functions))


def _function(part: bytes) -> RanFunction:
    """Raises ValueError when this is no RanFunction."""
    numbers = {_ID: 0, _REVISION: 0}
    texts = {_DEFINITION: b"", _OID: b""}
    for number, value in fields(part):
        if number in numbers and isinstance(value, int):
            numbers[number] = value
        elif number in texts and isinstance(value, bytes):
            texts[number] = value
        else:
            raise ValueError("no RAN function")
    if not any(texts.values()):
        raise ValueError("no RAN function")
    definition = _octets(texts[_DEFINITION])
    oid = texts[_OID].decode(errors="replace")
    return RanFunction(numbers[_ID], numbers[_REVISION], oid if oid.isprintable() else "", definition)


def _octets(text: bytes) -> bytes:
    """E2 Manager keeps the definition as hex."""
    try:
        octets = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        octets = text
    return octets if len(octets) <= LONGEST_DEFINITION else b""


class RanFunctionTable:
    """The RAN functions of the nodes that R-NIB has. A record that is as before is not read again."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[int, tuple[RanFunction, ...]]] = {}

    def read(self, name: str, nodeb: bytes) -> None:
        """Takes the functions from the record of a node."""
        mark = hash(nodeb)
        known = self._nodes.get(name)
        if known is None or known[0] != mark:
            self._nodes[name] = mark, read_functions(nodeb)

    def forget(self, name: str) -> None:
        """The node has connected anew: what it has announced now is not known yet."""
        self._nodes.pop(name, None)

    def keep(self, names: Container[str]) -> None:
        """Forgets the nodes that are not among `names`."""
        for name in [name for name in self._nodes if name not in names]:
            del self._nodes[name]

    def of(self, name: str) -> tuple[RanFunction, ...]:
        """By id. None: nobody knows."""
        known = self._nodes.get(name)
        return known[1] if known is not None else ()
