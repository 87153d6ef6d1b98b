# SPDX-License-Identifier: Apache-2.0
"""RAN parameters of the RC service model: their values, definitions and tests, each of which can contain itself."""

from __future__ import annotations

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.common import NAME
from submgr.e2sm.per import Bits, Boolean, Enumerated, Integer, Later, ListOf, Octets, PerType, Text
from submgr.e2sm.real import Real
from submgr.e2sm.sequences import Boxed, part, sequence

PARAMETER_ID = Integer(1, 0xFFFFFFFF, extensible=True)
_MOST = 65535
_VALUE = Choice(
    Alternative("bool", Boolean()),
    Alternative("int", Integer()),
    Alternative("real", Real()),
    Alternative("bits", Bits()),
    Alternative("octets_hex", Octets()),
    Alternative("string", Text()),
)


class TrueOrFalse(PerType):
    """ENUMERATED {true, false, ...}, which RC has where KPM has a flag."""

    _words = Enumerated("true", "false")

    def read(self, reader: BitReader) -> bool:
        return self._words.read(reader) == "true"

    def write(self, writer: BitWriter, value: bool) -> None:
        self._words.write(writer, "true" if value else "false")


LOGICAL_OR = TrueOrFalse()


@sequence
class DefinedParameter:
    """A parameter within the definition of another one."""

    id: int = part(PARAMETER_ID, "parameter_id")
    name: str = part(NAME, "name")
    definition: Chosen | None = part(Later(lambda: DEFINITION), "definition", default=None)


_DEFINED = Boxed(ListOf(DefinedParameter, _MOST))
DEFINITION: PerType = Boxed(Choice(Alternative("list", _DEFINED), Alternative("structure", _DEFINED)))


@sequence(constants={"element_key": True})
class KeyElement:
    value: Chosen = part(_VALUE, "value")


@sequence(constants={"element_key": False})
class Element:
    value: Chosen | None = part(_VALUE, "value", default=None)


@sequence
class StructureItem:
    id: int = part(PARAMETER_ID, "parameter_id")
    content: Chosen = part(Later(lambda: VALUE_TYPE))


_STRUCTURE = Boxed(ListOf(StructureItem, _MOST), optional=True)
VALUE_TYPE: PerType = Choice(
    Alternative("key element", KeyElement, flat=True),
    Alternative("element", Element, flat=True),
    Alternative("structure", Boxed(_STRUCTURE)),
    Alternative("list", Boxed(Boxed(ListOf(_STRUCTURE, _MOST)))),
)


@sequence(constants={"element_key": False})
class ElementTest:
    """A comparison, or a test for presence, of one parameter."""

    condition: Chosen = part(
        Choice(
            Alternative(
                "comparison",
                Enumerated("equal", "difference", "greaterthan", "lessthan", "contains", "starts-with"),
            ),
            Alternative("presence", Enumerated("present", "configured", "rollover", "non-zero")),
        )
    )
    value: Chosen | None = part(_VALUE, "value", default=None)
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class TestItem:
    id: int = part(PARAMETER_ID, "parameter_id")
    content: Chosen = part(
        Choice(
            Alternative("list", Boxed(Later(lambda: _NESTED_TESTS))),
            Alternative("structure", Boxed(Later(lambda: _NESTED_TESTS))),
            Alternative("key element", KeyElement, flat=True),
            Alternative("element", ElementTest, flat=True),
        )
    )


_NESTED_TESTS: PerType = ListOf(TestItem, _MOST)
TESTS = ListOf(TestItem, 255)
