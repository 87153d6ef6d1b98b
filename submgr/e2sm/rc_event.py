# SPDX-License-Identifier: Apache-2.0
"""Event triggers of the RC service model v1.02 and v1.03 (E2SM-RC 9.2.1.1)."""

from __future__ import annotations

from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.common import (
    CELL,
    MODEL_ID,
    NG_RAN_NODE,
    UE,
    GlobalEnb,
    GlobalGnb,
    GlobalNgEnb,
    Guami,
    Gummei,
)
from submgr.e2sm.per import Enumerated, Flag, Integer, ListOf
from submgr.e2sm.rc_parameters import LOGICAL_OR, TESTS, TestItem
from submgr.e2sm.sequences import Boxed, part, sequence

_MOST = 65535
_NODE_PART_ID = Integer(0, (1 << 36) - 1)
_CHANGE_ID = Integer(1, 512, extensible=True)
_INTERFACES = ("nG", "xn", "f1", "e1", "s1", "x2", "w1")


@sequence
class Ng:
    guami: Guami = part(Guami, "guami")


@sequence
class Xn:
    node: Chosen = part(NG_RAN_NODE, "ng_ran_node")


@sequence
class F1:
    gnb: GlobalGnb = part(GlobalGnb, "gnb")
    du: int = part(_NODE_PART_ID, "gnb_du_id")


@sequence
class E1:
    gnb: GlobalGnb = part(GlobalGnb, "gnb")
    cu_up: int = part(_NODE_PART_ID, "gnb_cu_up_id")


@sequence
class S1:
    gummei: Gummei = part(Gummei, "gummei")


@sequence
class X2:
    node: Chosen = part(Choice(Alternative("enb", GlobalEnb), Alternative("en-gnb", GlobalGnb), tag="kind"))


@sequence
class W1:
    ng_enb: GlobalNgEnb = part(GlobalNgEnb, "ng_enb")
    du: int = part(_NODE_PART_ID, "ng_enb_du_id")


@sequence
class ProtocolMessage:
    procedure: int = part(Integer(), "procedure_id")
    type: str = part(Enumerated("initiatingMessage", "successfulOutcome", "unsuccessfulOutcome"), "message_type")


@sequence
class InterfaceMessage:
    interface: str = part(Enumerated(*_INTERFACES), "interface_type")
    identifier: Chosen | None = part(
        Choice(*map(Alternative, _INTERFACES, (Ng, Xn, F1, E1, S1, X2, W1)), tag="interface"),
        "identifier",
        default=None,
    )
    message: ProtocolMessage | None = part(ProtocolMessage, default=None)


_LTE_CLASSES = Enumerated(
    "bCCH-BCH", "bCCH-BCH-MBMS", "bCCH-DL-SCH", "bCCH-DL-SCH-BR", "bCCH-DL-SCH-MBMS", "mCCH", "pCCH", "dL-CCCH",
    "dL-DCCH", "uL-CCCH", "uL-DCCH", "sC-MCCH",
)  # fmt: skip
_NR_CLASSES = Enumerated(
    "bCCH-BCH", "bCCH-DL-SCH", "dL-CCCH", "dL-DCCH", "pCCH", "uL-CCCH", "uL-CCCH1", "uL-DCCH"
)  # fmt: skip


@sequence
class RrcMessage:
    rrc_class: Chosen = part(
        Choice(Alternative("lTE", _LTE_CLASSES), Alternative("nR", _NR_CLASSES), tag="rat", key="class")
    )
    id: int = part(Integer(), "message_id")


@sequence
class OneUe:
    ue: Chosen = part(UE, "ue")
    tests: tuple[TestItem, ...] | None = part(TESTS, "tests", default=None)


@sequence
class Group:
    tests: tuple[TestItem, ...] = part(TESTS, "group_tests")


@sequence
class UeFilter:
    id: int = part(MODEL_ID, "ue_filter_id")
    content: Chosen = part(Choice(Alternative("ue", OneUe, flat=True), Alternative("group", Group, flat=True)))
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class OneCell:
    cell: Chosen = part(CELL, "cell")


@sequence
class CellFilter:
    id: int = part(MODEL_ID, "cell_filter_id")
    content: Chosen = part(Choice(Alternative("cell", OneCell, flat=True), Alternative("group", Group, flat=True)))
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class UeEvent:
    id: int = part(MODEL_ID, "ue_event_id")
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


_UES = Boxed(ListOf(UeFilter, _MOST))
_CELLS = Boxed(ListOf(CellFilter, _MOST))


@sequence
class MessageCondition:
    id: int = part(MODEL_ID, "condition_id")
    message: Chosen = part(
        Choice(Alternative("interface_message", InterfaceMessage), Alternative("rrc_message", Boxed(RrcMessage)))
    )
    direction: str | None = part(Enumerated("incoming", "outgoing"), "direction", default=None)
    ues: tuple[UeFilter, ...] | None = part(_UES, "ues", default=None)
    ue_events: tuple[UeEvent, ...] | None = part(Boxed(ListOf(UeEvent, _MOST)), "ue_events", default=None)
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class Messages:
    """Format 1: messages of an interface or of RRC."""

    messages: tuple[MessageCondition, ...] = part(ListOf(MessageCondition, _MOST), "messages")
    global_ues: tuple[UeFilter, ...] | None = part(_UES, "global_ues", default=None)


@sequence
class CallProcess:
    """Format 2: a breakpoint of a call process."""

    process: int = part(MODEL_ID, "call_process_type_id")
    breakpoint: int = part(MODEL_ID, "breakpoint_id")
    node_tests: tuple[TestItem, ...] | None = part(TESTS, "e2_node_tests", default=None)
    ues: tuple[UeFilter, ...] | None = part(_UES, "ues", default=None)


@sequence
class NodeChange:
    id: int = part(MODEL_ID, "condition_id")
    change: int = part(_CHANGE_ID, "e2_node_info_change_id")
    cells: tuple[CellFilter, ...] | None = part(_CELLS, "cells", default=None)
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class NodeChanges:
    """Format 3: changes of the node's configuration."""

    changes: tuple[NodeChange, ...] = part(ListOf(NodeChange, _MOST), "changes")


@sequence
class RrcState:
    state: str = part(Enumerated("rrc-connected", "rrc-inactive", "rrc-idle", "any"), "state_changed_to")
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


_UE_TRIGGER = Choice(
    Alternative("rrc_states", Boxed(ListOf(RrcState, 8))),
    Alternative("ue_id_change_id", Boxed(_CHANGE_ID)),
    Alternative("l2_tests", Boxed(TESTS)),
)


@sequence
class UeChange:
    id: int = part(MODEL_ID, "condition_id")
    trigger: Chosen = part(_UE_TRIGGER)
    ues: tuple[UeFilter, ...] | None = part(_UES, "ues", default=None)
    logical_or: bool | None = part(LOGICAL_OR, "logical_or", default=None)


@sequence
class UeChanges:
    """Format 4: changes of the state of UEs."""

    changes: tuple[UeChange, ...] = part(ListOf(UeChange, _MOST), "changes")


@sequence
class OnDemand:
    """Format 5: at once, when it is asked for."""

    on_demand: bool = part(Flag(), "on_demand")
    ues: tuple[UeFilter, ...] | None = part(_UES, "ues", default=None)
    cells: tuple[CellFilter, ...] | None = part(_CELLS, "cells", default=None)


@sequence
class EventTrigger:
    content: Chosen = part(
        Choice(
            Alternative(1, Messages),
            Alternative(2, CallProcess),
            Alternative(3, NodeChanges),
            Alternative(4, UeChanges),
            Alternative(5, OnDemand),
            tag="format",
        )
    )
