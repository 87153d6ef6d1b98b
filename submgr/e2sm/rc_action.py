# SPDX-License-Identifier: Apache-2.0
"""Action definitions of the RC service model v1.02 and v1.03 (E2SM-RC 9.2.1.2)."""

from __future__ import annotations

from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.common import MODEL_ID, STYLE, UE
from submgr.e2sm.per import Enumerated, ListOf
from submgr.e2sm.rc_parameters import DEFINITION, PARAMETER_ID, TESTS, VALUE_TYPE, TestItem
from submgr.e2sm.sequences import part, sequence

_MOST = 65535


@sequence
class Parameter:
    """A parameter that is to be reported."""

    id: int = part(PARAMETER_ID, "parameter_id")
    definition: Chosen | None = part(DEFINITION, "definition", default=None, addition=True)


_PARAMETERS = ListOf(Parameter, _MOST)


@sequence
class Report:
    """Format 1."""

    parameters: tuple[Parameter, ...] = part(_PARAMETERS, "report_parameters")


@sequence
class PolicyParameter:
    id: int = part(PARAMETER_ID, "parameter_id")
    content: Chosen = part(VALUE_TYPE)


@sequence
class PolicyAction:
    id: int = part(MODEL_ID, "action_id")
    parameters: tuple[PolicyParameter, ...] | None = part(ListOf(PolicyParameter, _MOST), "parameters", default=None)
    decision: str | None = part(Enumerated("accept", "reject"), "decision", default=None, addition=True)


@sequence
class Policy:
    action: PolicyAction = part(PolicyAction)
    condition: tuple[TestItem, ...] | None = part(TESTS, "condition", default=None)


@sequence
class Policies:
    """Format 2."""

    policies: tuple[Policy, ...] = part(ListOf(Policy, _MOST), "policies")


@sequence
class Insert:
    """Format 3."""

    indication: int = part(MODEL_ID, "insert_indication_id")
    parameters: tuple[Parameter, ...] = part(_PARAMETERS, "parameters")
    ue: Chosen | None = part(UE, "ue", default=None)


@sequence
class InsertIndication:
    id: int = part(MODEL_ID, "insert_indication_id")
    parameters: tuple[Parameter, ...] = part(_PARAMETERS, "parameters")


@sequence
class InsertStyle:
    style: int = part(STYLE, "insert_style")
    indications: tuple[InsertIndication, ...] = part(ListOf(InsertIndication, 63), "indications")


@sequence
class Inserts:
    """Format 4."""

    styles: tuple[InsertStyle, ...] = part(ListOf(InsertStyle, 63), "insert_styles")
    ue: Chosen | None = part(UE, "ue", default=None)


_ACTION_FORMAT = Choice(
    Alternative(1, Report),
    Alternative(2, Policies),
    Alternative(3, Insert),
    Alternative(4, Inserts, addition=True, flexric_root=True),
    tag="format",
)


@sequence
class ActionDefinition:
    style: int = part(STYLE, "style")
    content: Chosen = part(_ACTION_FORMAT)
