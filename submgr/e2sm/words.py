# SPDX-License-Identifier: Apache-2.0
"""One line in words for each body: what an operator reads at a glance. The tree has the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from submgr.e2sm import kpm, ni, rc_action, rc_event, rc_function
from submgr.e2sm.choices import Chosen
from submgr.e2sm.common import EutraCell, NrCell, Plmn, Slice
from submgr.e2sm.decoding import Decoded, Undecoded
from submgr.e2sm.layouts import LAYOUTS
from submgr.e2sm.per import BitString
from submgr.e2sm.phrases import MOST_NAMED, count, hexadecimal, some

MOST_CHARACTERS = 2000
"""Of a line: names may be long."""


def words(body: Decoded | Undecoded) -> str:
    """`KPM style 1 format 1: DRB.UEThpDl every 1000 ms`, or the octets and why they cannot be decoded."""
    line = _line(body)
    return line if len(line) <= MOST_CHARACTERS else f"{line[:MOST_CHARACTERS]}..."


def _line(body: Decoded | Undecoded) -> str:
    if isinstance(body, Undecoded):
        return f"{hexadecimal(body.octets)}: {body.reason}" if body.octets else body.reason
    line = f"{body.model} {_WORDS[type(body.value)](body.value)}"
    if body.layout.flexric:
        return f"{line} (FlexRIC's dialect)"
    newest = LAYOUTS[body.model][0].versions
    return line if newest[-1] in body.versions else f"{line} (layout of v{', v'.join(body.versions)})"


def _value(value: Chosen) -> str:
    content = value.value
    if isinstance(content, bytes):
        return content.hex()
    if isinstance(content, BitString):
        return f"{content.value:0{content.bits}b}b"
    return repr(content) if isinstance(content, str) else str(content).lower()


def _cell(cell: Chosen) -> str:
    one: NrCell | EutraCell = cell.value
    kind, digits = ("NR", 9) if cell.name == "nr" else ("E-UTRA", 7)
    return f"{kind} cell {one.cell:0{digits}x} of PLMN {one.plmn}"


def _ue(ue: Chosen) -> str:
    one = ue.value
    number = next(getattr(one, name) for name in _UE_NUMBERS if hasattr(one, name))
    return f"{ue.name} {number}"


_UE_NUMBERS = ("amf_ue_ngap_id", "f1ap_id", "e1ap_id", "w1ap_id", "s1ap_id", "x2ap_id")


# KPM


def _label(label: kpm.Label) -> str:
    named = []
    for name in label.__dataclass_fields__:
        value = getattr(label, name)
        if value is None or name == "no_label":
            continue
        named.append(name if value is True else f"{name} {_label_value(value)}")
    return " ".join(named)


def _label_value(value: Any) -> str:
    if isinstance(value, Slice):
        return f"{value.sst}" if value.sd is None else f"{value.sst}-{value.sd.hex()}"
    return str(value) if isinstance(value, (int, str, Plmn)) else repr(value)


def _measurement(name: Chosen, conditions: Iterable[str]) -> str:
    shown = str(name.value) if name.name == "name" else f"measurement {name.value}"
    by = " or ".join(filter(None, conditions))
    return f"{shown} [{by}]" if by else shown


def _test(test: kpm.Test) -> str:
    value = [_value(test.value)] if test.value is not None else []
    return " ".join([test.kind, *([test.expression] if test.expression else []), *value])


def _match(match: kpm.Match) -> str:
    return _test(match.condition.value) if match.condition.name == "test" else _label(match.condition.value)


def _joined(conditions: Iterable[tuple[str, bool | None]]) -> str:
    """Conditions with the `and` or the `or` that stands between each and its follower."""
    line, link = "", ""
    for condition, logical_or in list(conditions)[:MOST_NAMED]:
        line += f"{link}{condition}"
        link = " or " if logical_or else " and "
    return line


def _format1(content: kpm.Format1) -> str:
    measured = some(content.measurements, lambda one: _measurement(one.measurement, map(_label, one.labels)))
    cell = f" for {_cell(content.cell)}" if content.cell is not None else ""
    bins = f" in {count(content.distribution_bins, 'distribution')}" if content.distribution_bins else ""
    return f"{measured} every {content.granularity} ms{cell}{bins}"


def _format3(content: kpm.Format3) -> str:
    measured = some(content.measurements, lambda one: _measurement(one.measurement, [_matches(one.conditions)]))
    cell = f" for {_cell(content.cell)}" if content.cell is not None else ""
    return f"{measured} of each UE that fits, every {content.granularity} ms{cell}"


def _matches(conditions: Iterable[kpm.Match]) -> str:
    return _joined([(shown, each.logical_or) for each in conditions if (shown := _match(each))])


def _format4(content: kpm.Format4) -> str:
    conditions = _joined([(_test(each.test), each.logical_or) for each in content.ue_conditions])
    return f"{_format1(content.subscription)} for UEs with {conditions}"


_KPM_FORMATS: dict[Any, Callable[[Any], str]] = {
    1: _format1,
    2: lambda content: f"{_format1(content.subscription)} for UE {_ue(content.ue)}",
    3: _format3,
    4: _format4,
    5: lambda content: f"{_format1(content.subscription)} for {some(content.ues, _ue)}",
}


def _kpm_action(action: kpm.ActionDefinition) -> str:
    content = action.content
    return f"style {action.style} format {content.name}: {_KPM_FORMATS[content.name](content.value)}"


def _kpm_function(function: kpm.FunctionDefinition) -> str:
    styles = some(
        function.report_styles or (),
        lambda style: f"report style {style.style} {style.name} ({count(style.measurements, 'measurement')})",
    )
    return f"{_name(function)}: {styles or 'no report style'}"


def _name(function: Any) -> str:
    return f"RAN function {function.name.short_name} ({function.name.description})"


# RC


def _tests(tests: Iterable[Any]) -> str:
    return " and ".join(_parameter_test(test) for test in list(tests)[:MOST_NAMED])


def _parameter_test(test: Any) -> str:
    content = test.content
    if content.name in ("list", "structure"):
        return f"parameter {test.id} ({_tests(content.value)})"
    if content.name == "key element":
        return f"parameter {test.id} equal {_value(content.value.value)}"
    one = content.value
    value = f" {_value(one.value)}" if one.value is not None else ""
    return f"parameter {test.id} {one.condition.value}{value}"


def _filters(filters: Sequence[Any] | None, name: str) -> str:
    return f" for {count(filters, name)}" if filters else ""


def _message(one: rc_event.MessageCondition) -> str:
    content = one.message.value
    if one.message.name == "rrc_message":
        shown = f"RRC {content.rrc_class.value} {content.id}"
    else:
        message = f" procedure {content.message.procedure} {content.message.type}" if content.message else ""
        shown = f"{content.interface}{message}"
    return f"{one.direction} {shown}" if one.direction else shown


def _ue_change(one: rc_event.UeChange) -> str:
    trigger = one.trigger
    if trigger.name == "rrc_states":
        shown = "RRC state " + _joined([(state.state, state.logical_or) for state in trigger.value])
    elif trigger.name == "ue_id_change_id":
        shown = f"UE id change {trigger.value}"
    else:
        shown = f"L2 {_tests(trigger.value)}"
    return shown + _filters(one.ues, "UE filter")


def _call_process(content: rc_event.CallProcess) -> str:
    node = f" if {_tests(content.node_tests)}" if content.node_tests else ""
    return f"call process {content.process} breakpoint {content.breakpoint}{node}{_filters(content.ues, 'UE filter')}"


_RC_EVENTS: dict[Any, Callable[[Any], str]] = {
    1: lambda content: f"at messages {some(content.messages, _message)}{_filters(content.global_ues, 'UE filter')}",
    2: lambda content: f"at {_call_process(content)}",
    3: lambda content: (
        "at node changes " + some(content.changes, lambda one: f"{one.change}{_filters(one.cells, 'cell filter')}")
    ),
    4: lambda content: f"at changes of UEs: {some(content.changes, _ue_change)}",
    5: lambda content: f"on demand{_filters(content.ues, 'UE filter')}{_filters(content.cells, 'cell filter')}",
}


def _parameter_ids(parameters: Sequence[Any] | None) -> str:
    return f"parameter{'s' if len(parameters or ()) != 1 else ''} {some(parameters or (), lambda one: str(one.id))}"


def _policy(one: rc_action.Policy) -> str:
    action = one.action
    decision = f" {action.decision}" if action.decision else ""
    parameters = f" with {_parameter_ids(action.parameters)}" if action.parameters else ""
    condition = f" if {_tests(one.condition)}" if one.condition else ""
    return f"policy action {action.id}{decision}{parameters}{condition}"


def _of_ue(content: Any) -> str:
    return f" for UE {_ue(content.ue)}" if content.ue is not None else ""


_RC_ACTIONS: dict[Any, Callable[[Any], str]] = {
    1: lambda content: f"report {_parameter_ids(content.parameters)}",
    2: lambda content: some(content.policies, _policy),
    3: lambda content: f"insert {content.indication} with {_parameter_ids(content.parameters)}{_of_ue(content)}",
    4: lambda content: (
        "insert "
        + some(content.styles, lambda style: f"style {style.style} ({count(style.indications, 'indication')})")
        + _of_ue(content)
    ),
}


def _rc_action(action: rc_action.ActionDefinition) -> str:
    content = action.content
    return f"style {action.style} format {content.name}: {_RC_ACTIONS[content.name](content.value)}"


def _rc_function(function: rc_function.FunctionDefinition) -> str:
    services = [("event trigger", function.event_trigger.styles if function.event_trigger else None)]
    for service in ("report", "insert", "control", "policy"):
        services.append((service, getattr(function, f"{service}_styles")))
    shown = [f"{name} styles {some(styles, lambda style: str(style.style))}" for name, styles in services if styles]
    return f"{_name(function)}: {'; '.join(shown) or 'no style'}"


# NI


def _ni_event(event: Chosen) -> str:
    content: ni.InterfaceMessage = event.value
    message = content.message.value
    tests = _joined([(f"IE {one.id} {one.test} {_value(one.value)}", None) for one in content.ie_tests or ()])
    return (
        f"at {content.direction} {content.interface} procedure {message.procedure_code} {message.type}"
        f"{f' if {tests}' if tests else ''}"
    )


def _ni_action(action: ni.ActionDefinition) -> str:
    content = action.content
    if content.name == 1:
        shown = _parameter_ids(content.value.parameters) if content.value.parameters else "no parameters"
    else:
        shown = f"policies for {count(content.value.ue_groups, 'UE group')}"
    return f"style {action.style} format {content.name}: {shown}"


def _ni_function(function: ni.FunctionDefinition) -> str:
    interfaces = some(function.interfaces or (), lambda one: str(one.interface))
    return f"{_name(function)}: {interfaces or 'no interface'}"


_WORDS: dict[type, Callable[[Any], str]] = {
    kpm.EventTrigger: lambda event: f"report every {event.content.value.period} ms",
    kpm.ActionDefinition: _kpm_action,
    kpm.FunctionDefinition: _kpm_function,
    rc_event.EventTrigger: lambda event: _RC_EVENTS[event.content.name](event.content.value),
    rc_action.ActionDefinition: _rc_action,
    rc_function.FunctionDefinition: _rc_function,
    Chosen: _ni_event,
    ni.ActionDefinition: _ni_action,
    ni.FunctionDefinition: _ni_function,
}
