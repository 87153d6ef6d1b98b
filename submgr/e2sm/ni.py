# SPDX-License-Identifier: Apache-2.0
"""The NI service model v1: event triggers, action definitions and RAN function definitions (E2SM-NI 8)."""

from __future__ import annotations

from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.common import (
    FORMAT,
    NAME,
    NG_RAN_NODE,
    STYLE,
    EventTriggerStyle,
    FunctionName,
    GlobalEnb,
    GlobalGnb,
)
from submgr.e2sm.per import Bits, Boolean, Enumerated, Integer, ListOf, Octets, Text
from submgr.e2sm.sequences import part, sequence

_INTERFACES = ("s1", "x2", "ng", "xn", "f1", "e1")
_INTERFACE = Enumerated(*_INTERFACES)
_TEST = Enumerated("equal", "greaterthan", "lessthan", "contains", "present")
_PARAMETER_ID = Integer(0, 65535)
_MOST_PARAMETERS = 65535
_VALUE = Choice(
    Alternative("int", Integer()),
    Alternative("enum", Integer()),
    Alternative("bool", Boolean()),
    Alternative("bits", Bits()),
    Alternative("octets_hex", Octets()),
    Alternative("string", Text()),
)


@sequence(marker=False)
class GnbDu:
    node: Chosen = part(NG_RAN_NODE, "ng_ran_node")
    id: int = part(Integer(0, (1 << 36) - 1), "gnb_du_id")


@sequence(marker=False)
class GnbCuUp:
    node: Chosen = part(NG_RAN_NODE, "ng_ran_node")
    id: int = part(Integer(0, (1 << 36) - 1), "gnb_cu_up_id")


_INTERFACE_ID = Choice(
    Alternative("enb", GlobalEnb),
    Alternative("en-gnb", GlobalGnb),
    Alternative("ng-ran-node", NG_RAN_NODE, flat=True),
    Alternative("gnb-du", GnbDu),
    Alternative("gnb-cu-up", GnbCuUp),
    tag="kind",
)


@sequence
class Message:
    procedure_code: int = part(Integer(0, 255), "procedure_code")
    type: str = part(
        Enumerated("nothing", "initiating-message", "successful-outcome", "unsuccessful-outcome", extensible=False),
        "type",
    )


@sequence
class IeTest:
    id: int = part(Integer(0, 65535), "ie_id")
    test: str = part(_TEST, "test")
    value: Chosen = part(_VALUE, "value")


@sequence
class InterfaceMessage:
    interface: str = part(_INTERFACE, "interface")
    interface_id: Chosen = part(_INTERFACE_ID, "interface_id")
    direction: str = part(Enumerated("incoming", "outgoing", "both"), "direction")
    message: Chosen = part(Choice(*(Alternative(name, Message) for name in _INTERFACES), tag="interface"), "message")
    ie_tests: tuple[IeTest, ...] | None = part(ListOf(IeTest, 15), "ie_tests", default=None)


EVENT_TRIGGER = Choice(Alternative(1, InterfaceMessage), tag="format")


@sequence
class Parameter:
    id: int = part(_PARAMETER_ID, "parameter_id")
    value: Chosen = part(_VALUE, "value")


@sequence
class GroupTest:
    id: int = part(_PARAMETER_ID, "parameter_id")
    test: str = part(_TEST, "test")
    value: Chosen = part(_VALUE, "value")


@sequence
class GroupDefinition:
    tests: tuple[GroupTest, ...] | None = part(ListOf(GroupTest, _MOST_PARAMETERS), "definition", default=None)


@sequence
class Policy:
    parameters: tuple[Parameter, ...] | None = part(ListOf(Parameter, _MOST_PARAMETERS), "policy", default=None)


@sequence
class UeGroup:
    id: int = part(Integer(0, 255), "group_id")
    definition: GroupDefinition = part(GroupDefinition)
    policy: Policy = part(Policy)


@sequence
class Format1:
    parameters: tuple[Parameter, ...] | None = part(ListOf(Parameter, 255), "parameters", default=None)


@sequence
class Format2:
    ue_groups: tuple[UeGroup, ...] | None = part(ListOf(UeGroup, 255), "ue_groups", default=None)


@sequence
class ActionDefinition:
    style: int = part(STYLE, "style")
    content: Chosen = part(Choice(Alternative(1, Format1), Alternative(2, Format2), tag="format"))


@sequence
class OfferedParameter:
    id: int = part(_PARAMETER_ID, "parameter_id")
    name: str = part(NAME, "name")
    type: str = part(
        Enumerated("integer", "enumerated", "boolean", "bit-string", "octet-string", "printable-string"), "type"
    )


_OFFERED = ListOf(OfferedParameter, _MOST_PARAMETERS)


@sequence
class ReportStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    action_format: int = part(FORMAT, "action_format")
    parameters: tuple[OfferedParameter, ...] = part(_OFFERED, "parameters")
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")


@sequence
class InsertStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    action_format: int = part(FORMAT, "action_format")
    parameters: tuple[OfferedParameter, ...] = part(_OFFERED, "parameters")
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")
    call_process_id_format: int = part(FORMAT, "call_process_id_format")


@sequence
class ControlStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    control_format: int = part(FORMAT, "control_format")
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")
    call_process_id_format: int = part(FORMAT, "call_process_id_format")
    outcome_format: int = part(FORMAT, "outcome_format")
    outcome_parameters: tuple[OfferedParameter, ...] = part(_OFFERED, "outcome_parameters")


@sequence
class PolicyStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    action_format: int = part(FORMAT, "action_format")
    parameters: tuple[OfferedParameter, ...] = part(_OFFERED, "parameters")


@sequence
class Interface:
    interface: str = part(_INTERFACE, "interface")
    event_trigger_styles: tuple[EventTriggerStyle, ...] | None = part(
        ListOf(EventTriggerStyle, 63), "event_trigger_styles", default=None
    )
    report_styles: tuple[ReportStyle, ...] | None = part(ListOf(ReportStyle, 63), "report_styles", default=None)
    insert_styles: tuple[InsertStyle, ...] | None = part(ListOf(InsertStyle, 63), "insert_styles", default=None)
    control_styles: tuple[ControlStyle, ...] | None = part(ListOf(ControlStyle, 63), "control_styles", default=None)
    policy_styles: tuple[PolicyStyle, ...] | None = part(ListOf(PolicyStyle, 63), "policy_styles", default=None)


@sequence
class FunctionDefinition:
    name: FunctionName = part(FunctionName)
    interfaces: tuple[Interface, ...] | None = part(ListOf(Interface, 63), "interfaces", default=None)
