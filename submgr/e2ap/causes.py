# SPDX-License-Identifier: Apache-2.0
"""Causes by name, as the ASN.1 of E2AP spells them (9.2.1)."""

from __future__ import annotations

from submgr.e2ap.messages import Cause

Groups = dict[int, tuple[str, tuple[str, ...], tuple[str, ...]]]
"""Group → its name in the CHOICE, the names of its values before the extension mark, and those after it."""

GROUPS: Groups = {
    1: (
        "ricRequest",
        (
            "ran-function-id-invalid",
            "action-not-supported",
            "excessive-actions",
            "duplicate-action",
            "duplicate-event-trigger",
            "function-resource-limit",
            "request-id-unknown",
            "inconsistent-action-subsequent-action-sequence",
            "control-message-invalid",
            "ric-call-process-id-invalid",
            "control-timer-expired",
            "control-failed-to-execute",
            "system-not-ready",
            "unspecified",
        ),
        (
            "ric-subscription-end-time-expired",
            "ric-subscription-end-time-invalid",
            "duplicate-ric-request-id",
            "eventTriggerNotSupported",
            "requested-information-unavailable",
            "invalid-information-request",
        ),
    ),
    2: ("ricService", ("ran-function-not-supported", "excessive-functions", "ric-resource-limit"), ()),
    3: ("e2Node", ("e2node-component-unknown",), ()),
    4: ("transport", ("unspecified", "transport-resource-unavailable"), ()),
    5: (
        "protocol",
        (
            "transfer-syntax-error",
            "abstract-syntax-error-reject",
            "abstract-syntax-error-ignore-and-notify",
            "message-not-compatible-with-receiver-state",
            "semantic-error",
            "abstract-syntax-error-falsely-constructed-message",
            "unspecified",
        ),
        (),
    ),
    6: (
        "misc",
        ("control-processing-overload", "hardware-failure", "om-intervention", "unspecified"),
        (),
    ),
}


GROUPS_OF_1X: Groups = {
    1: (
        "ricRequest",
        (
            "ran-function-id-invalid",
            "action-not-supported",
            "excessive-actions",
            "duplicate-action",
            "duplicate-event",
            "function-resource-limit",
            "request-id-unknown",
            "inconsistent-action-subsequent-action-sequence",
            "control-message-invalid",
            "call-process-id-invalid",
        ),
        (),
    ),
    2: ("ricService", ("function-not-required", "excessive-functions", "ric-resource-limit"), ()),
    3: GROUPS[4],
    4: GROUPS[5],
    5: GROUPS[6],
}
"""The groups of E2AP 1.00 and 1.01: no e2Node, so that the numbers of those behind it differ."""

RELEASES: dict[int, Groups] = {1: GROUPS_OF_1X, 2: GROUPS}


def describe(cause: Cause) -> str:
    """Group and value by name, as `ricRequest: action-not-supported`. A number without a name stays a number.

    Unknown numbers come from nodes of a later E2AP release. The value of a cause in an unknown group is not known
    either (see `submgr.e2ap.codec.decode`).
    """
    known = RELEASES[cause.release].get(cause.group)
    if known is None:
        return f"cause group {cause.group}: {cause.value}"
    name, root, extension = known
    values = root + extension
    return f"{name}: {values[cause.value] if 0 <= cause.value < len(values) else cause.value}"


def by_name(group: str, value: str, release: int = 2) -> Cause:
    """The cause of these two ASN.1 names, in the numbers of the release.

    Raises:
        ValueError: there is no such group, or no such value in it.
    """
    for number, (name, root, extension) in RELEASES[release].items():
        if name == group:
            return Cause(number, (root + extension).index(value), release)
    raise ValueError(f"no E2AP cause group is named {group!r}")
