# SPDX-License-Identifier: Apache-2.0
"""The tables of `submgr ctl`: which member of an answer stands in which column."""

from __future__ import annotations

from typing import Any

from submgr.cli.ctl.times import age
from submgr.cli.tables import Column

Json = dict[str, Any]

GOOD, BAD, BUSY, DULL = "green", "bold red", "yellow", "dim"
_STYLES = {
    "connected": GOOD,
    "disconnected": BAD,
    "under reset": BUSY,
    "not known": DULL,
    "established": GOOD,
    "pending": BUSY,
    "partly": BUSY,
    "deleting": BUSY,
    "failed": BAD,
    "error": BAD,
    "warning": BUSY,
}


def state_style(row: Json) -> str:
    """The style of a row's State."""
    return _STYLES.get(row["State"], "")


def severity_style(event: Json) -> str:
    """The style of an event's Severity."""
    return _STYLES.get(event["Severity"], "")


def _bad_if(name: str) -> Any:
    return lambda row: BAD if row[name] else ""


def last_failure(row: Json) -> str:
    """When and what failed last at a node or of an xApp, in words."""
    event = row["LastFailure"]
    return "" if event is None else f"{age(event['Time'])} ago: {event['Words']}"


NODES = (
    Column("MEID", lambda row: row["Meid"]),
    Column("STATE", lambda row: row["State"].replace(" ", "-"), style=state_style),
    Column("SINCE", lambda row: age(row["Since"]), right=True),
    Column("E2-SUBS", lambda row: row["E2Subscriptions"], right=True),
    Column("REST-SUBS", lambda row: row["RestSubscriptions"], right=True),
    Column("PENDING", lambda row: row["Pending"], right=True),
    Column("FAILED", lambda row: row["Failed"], right=True, style=_bad_if("Failed")),
    Column("QUEUE", lambda row: row["Queue"], right=True),
    Column("SUBS/MIN", lambda row: row["SubscribesPerMinute"], wide=True, right=True),
    Column("FAILS/MIN", lambda row: row["FailuresPerMinute"], wide=True, right=True),
    Column("LAST-FAILURE", last_failure, wide=True, folds=True),
)
FUNCTIONS = (
    Column("MEID", lambda row: row["Meid"]),
    Column("FUNCTION", lambda row: row["RANFunctionID"], right=True),
    Column("NAME", lambda row: row["Name"]),
    Column("OID", lambda row: row["OID"]),
    Column("REVISION", lambda row: row["Revision"], right=True),
    Column("OFFERS", lambda row: row["Definition"]["Words"], folds=True),
)
XAPPS = (
    Column("XAPP", lambda row: row["XApp"]),
    Column("REST-SUBS", lambda row: row["RestSubscriptions"], right=True),
    Column("E2-SUBS", lambda row: row["E2Subscriptions"], right=True),
    Column("FAILED", lambda row: row["Failed"], right=True, style=_bad_if("Failed")),
    Column("UNTOLD", lambda row: row["WaitingNotifications"], right=True, style=_bad_if("WaitingNotifications")),
    Column("ENDPOINTS", lambda row: ",".join(row["Endpoints"]), wide=True, folds=True),
    Column("LAST-FAILURE", last_failure, wide=True, folds=True),
)
SUBSCRIPTIONS = (
    Column("ID", lambda row: row["SubscriptionId"]),
    Column("MEID", lambda row: row["Meid"]),
    Column("XAPP", lambda row: row["XApp"]),
    Column("FUNCTION", lambda row: row["RANFunctionID"], right=True),
    Column("STATE", lambda row: row["State"], style=state_style),
    Column("E2-SUBS", lambda row: row["Instances"], right=True),
    Column("AGE", lambda row: age(row["Created"]), right=True),
    Column("CREATED", lambda row: (row["Created"] or "").replace(" ", "T"), wide=True),
    Column("MS", lambda row: row["Last"]["Milliseconds"], wide=True, right=True),
    Column("SOURCE", lambda row: row["Last"]["Source"], wide=True),
    Column("CAUSE", lambda row: row["Last"]["Cause"], folds=True),
)
ROUTES = (
    Column("TYPE", lambda row: row["MessageType"], right=True),
    Column("MESSAGE", lambda row: row["Message"]),
    Column("INSTANCE", lambda row: "any" if row["E2EventInstanceId"] is None else row["E2EventInstanceId"], right=True),
    Column("TO", lambda row: targets(row), folds=True),
)


def targets(route: Json) -> str:
    """Who gets a message: one of each group of endpoints."""
    if route["ByMeid"]:
        return "owner-of-the-meid"
    return " and ".join(" or ".join(group) for group in route["Endpoints"])
