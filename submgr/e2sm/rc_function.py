# SPDX-License-Identifier: Apache-2.0
"""RAN function definitions of the RC service model v1.02 and v1.03 (E2SM-RC 9.2.2)."""

from __future__ import annotations

from submgr.e2sm.choices import Chosen
from submgr.e2sm.common import FORMAT, MODEL_ID, NAME, STYLE, EventTriggerStyle, FunctionName
from submgr.e2sm.per import ListOf
from submgr.e2sm.rc_parameters import DEFINITION, PARAMETER_ID
from submgr.e2sm.sequences import Boxed, part, sequence

_MOST = 65535
_STYLES = 63


@sequence
class Parameter:
    """A RAN parameter that the node offers."""

    id: int = part(PARAMETER_ID, "parameter_id")
    name: str = part(NAME, "name")
    definition: Chosen | None = part(DEFINITION, "definition", default=None, addition=True)


Parameters = tuple[Parameter, ...] | None
_PARAMETERS = ListOf(Parameter, _MOST)


@sequence
class Breakpoint:
    id: int = part(MODEL_ID, "breakpoint_id")
    name: str = part(NAME, "name")
    parameters: Parameters = part(_PARAMETERS, "parameters", default=None)


@sequence
class CallProcess:
    id: int = part(MODEL_ID, "type_id")
    name: str = part(NAME, "name")
    breakpoints: tuple[Breakpoint, ...] = part(ListOf(Breakpoint, _MOST), "breakpoints")


@sequence
class EventTriggers:
    styles: tuple[EventTriggerStyle, ...] = part(ListOf(EventTriggerStyle, _STYLES), "styles")
    l2_parameters: Parameters = part(_PARAMETERS, "l2_parameters", default=None)
    call_processes: tuple[CallProcess, ...] | None = part(ListOf(CallProcess, _MOST), "call_processes", default=None)
    ue_parameters: Parameters = part(_PARAMETERS, "ue_identification_parameters", default=None)
    cell_parameters: Parameters = part(_PARAMETERS, "cell_identification_parameters", default=None)


@sequence
class ReportStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    event_trigger_style: int = part(STYLE, "event_trigger_style")
    action_format: int = part(FORMAT, "action_format")
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")
    parameters: Parameters = part(_PARAMETERS, "parameters", default=None)


@sequence
class Indication:
    id: int = part(MODEL_ID, "indication_id")
    name: str = part(NAME, "name")
    parameters: Parameters = part(_PARAMETERS, "parameters", default=None)


@sequence
class InsertStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    event_trigger_style: int = part(STYLE, "event_trigger_style")
    action_format: int = part(FORMAT, "action_format")
    indications: tuple[Indication, ...] | None = part(ListOf(Indication, _MOST), "indications", default=None)
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")
    call_process_id_format: int = part(FORMAT, "call_process_id_format")


@sequence
class ControlAction:
    id: int = part(MODEL_ID, "action_id")
    name: str = part(NAME, "name")
    parameters: Parameters = part(_PARAMETERS, "parameters", default=None)


@sequence
class ControlStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    actions: tuple[ControlAction, ...] | None = part(ListOf(ControlAction, _MOST), "actions", default=None)
    header_format: int = part(FORMAT, "header_format")
    message_format: int = part(FORMAT, "message_format")
    call_process_id_format: int | None = part(FORMAT, "call_process_id_format", default=None)
    outcome_format: int = part(FORMAT, "outcome_format")
    outcome_parameters: Parameters = part(ListOf(Parameter, 255), "outcome_parameters", default=None)


@sequence
class PolicyAction:
    id: int = part(MODEL_ID, "action_id")
    name: str = part(NAME, "name")
    action_format: int = part(FORMAT, "action_format")
    parameters: Parameters = part(_PARAMETERS, "parameters", default=None)
    condition_parameters: Parameters = part(_PARAMETERS, "condition_parameters", default=None)


@sequence
class PolicyStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    event_trigger_style: int = part(STYLE, "event_trigger_style")
    actions: tuple[PolicyAction, ...] | None = part(ListOf(PolicyAction, _MOST), "actions", default=None)


@sequence
class FunctionDefinition:
    name: FunctionName = part(FunctionName)
    event_trigger: EventTriggers | None = part(EventTriggers, "event_trigger", default=None)
    report_styles: tuple[ReportStyle, ...] | None = part(
        Boxed(ListOf(ReportStyle, _STYLES)), "report_styles", default=None
    )
    insert_styles: tuple[InsertStyle, ...] | None = part(
        Boxed(ListOf(InsertStyle, _STYLES)), "insert_styles", default=None
    )
    control_styles: tuple[ControlStyle, ...] | None = part(
        Boxed(ListOf(ControlStyle, _STYLES)), "control_styles", default=None
    )
    policy_styles: tuple[PolicyStyle, ...] | None = part(
        Boxed(ListOf(PolicyStyle, _STYLES)), "policy_styles", default=None
    )
