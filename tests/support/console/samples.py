# SPDX-License-Identifier: Apache-2.0
"""What a daemon with some trouble answers: four subscriptions have failed, one is well."""

from __future__ import annotations

import math
from typing import Any

Json = dict[str, Any]
XAPPS = ("service-ricxapp-kpimon-http.ricxapp", "service-ricxapp-ts-http.ricxapp")
NODES = ("enb_208_092_000003", "gnb_208_092_000001", "gnb_208_092_000002")
CAUSES = (
    ("E2 node refused: ric/ran-function-id-invalid", "E2Node"),
    ("E2 node did not answer: 2 requests, 4 s each", "E2Node"),
    ("route could not be made: 503 Service Unavailable", "RTMGR"),
    ("E2 node refused: ric/action-not-supported", "E2Node"),
)
WORDS = "KPM report every 1000 ms; action 1: KPM style 1 format 1: DRB.UEThpDl every 1000 ms"


def row(number: int, **fields: Any) -> Json:
    """A subscription that is well, unless `fields` say otherwise."""
    return {
        "SubscriptionId": f"3MYfDkIURAnXo5nG5Bg{number:08d}",
        "Meid": NODES[number % 3],
        "XApp": XAPPS[number % 2],
        "RANFunctionID": 2 + number % 2,
        "Created": f"2026-11-29T23:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "State": "established",
        "Instances": 1,
        "Last": {
            "Outcome": "succeeded",
            "Cause": "",
            "Source": "",
            "Time": "2026-11-29T23:40:00.000Z",
            "Milliseconds": 12,
        },
        **fields,
    }


def failed(number: int, cause: str, source: str) -> Json:
    """A subscription that failed."""
    time = f"2026-11-29T23:58:4{number % 10}.123Z"
    last = {"Outcome": "failed", "Cause": cause, "Source": source, "Time": time, "Milliseconds": 4 + number}
    return row(number, State="failed", Instances=0, Created=time, Last=last)


def rows(well: int = 1) -> list[Json]:
    """Four that failed, and `well` ones."""
    return [
        *(failed(number, *cause) for number, cause in enumerate(CAUSES)),
        *(row(number) for number in range(4, 4 + well)),
    ]


def events() -> list[Json]:
    """The newest events, the oldest first."""
    found: list[Json] = [
        {"Id": "run-1", "Time": "2026-11-29T23:58:40.000Z", "Kind": "start", "Severity": "info", "Words": "started"},
        {
            "Id": "run-2",
            "Time": "2026-11-29T23:58:41.000Z",
            "Kind": "node",
            "Severity": "warning",
            "Words": f"E2 node {NODES[0]} is disconnected",
            "Meid": NODES[0],
        },
    ]
    for number, (cause, source) in enumerate(CAUSES):
        one = failed(number, cause, source)
        found.append(
            {
                "Id": f"run-{3 + number}",
                "Time": one["Created"],
                "Kind": "subscription",
                "Severity": "error",
                "Words": f"subscribe failed at {one['Meid']} for {one['XApp']} (instance 12345): {cause}",
                "Meid": one["Meid"],
                "XApp": one["XApp"],
                "SubscriptionId": one["SubscriptionId"],
                "Cause": cause,
                "Source": source,
                "Milliseconds": 4 + number,
            }
        )
    return found


def answers() -> dict[str, Any]:
    """The answers by path below /ric/v1."""
    failure = events()[-1]
    wave = [2 + math.sin(step / 9) + (step % 7) / 5 for step in range(240)]
    return {
        "overview": {
            "Name": "submgr-0",
            "Version": "0.1.0",
            "Since": "2026-11-29T20:58:40.000Z",
            "Ready": True,
            "NotReady": [],
            "Role": "active",
            "Store": {"Kind": "redis", "Up": True, "Words": "dbaas:6379"},
            "Routes": {"E2Termination": 2, "Records": 14, "Age": 73.0},
            "Neighbours": [
                {"Name": "Routing Manager", "Up": False, "Words": "answers 503 since 23:58:42"},
                {"Name": "E2 Termination", "Up": True, "Words": "2 endpoints"},
            ],
            "Counts": {
                "Nodes": 3,
                "ConnectedNodes": 2,
                "XApps": 2,
                "RestSubscriptions": 5,
                "E2Subscriptions": 1,
                "Established": 1,
                "Pending": 0,
                "Failed": 4,
                "Waiting": 0,
            },
            "Rates": {"SubscribesPerSecond": 0.08, "DeletesPerSecond": 0.0, "FailuresPerSecond": 0.07},
            "LoopStallLongestMilliseconds": 6.2,
            "Memory": 87_000_000,
        },
        "health/alive": {"status": "ok", "reasons": [], "warnings": []},
        "health/ready": {"status": "ok", "reasons": [], "warnings": ["routes: no route for 12010"]},
        "overview/history": {
            "Step": 5,
            "Time": "2026-11-29T23:59:00.000Z",
            "Series": {
                "Subscribes": [round(value * 5) for value in wave],
                "Deletes": [round(value * 2) for value in wave[::-1]],
                "Failures": [0] * 225 + [0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
                "LatencyP50": [None if step % 60 == 50 else 4 + value for step, value in enumerate(wave)],
                "LatencyP99": [None if step % 60 == 50 else 11 + 3 * value for step, value in enumerate(wave)],
            },
        },
        "overview/nodes": [
            {
                "Meid": name,
                "State": "disconnected" if number == 0 else "connected",
                "Since": "2026-11-29T23:58:41.000Z",
                "E2Subscriptions": number,
                "RestSubscriptions": 1 + number % 2,
                "Pending": 0,
                "Failed": 2 - number,
                "Queue": 0,
                "SubscribesPerMinute": 4.8 * number,
                "FailuresPerMinute": 2.0 - number,
                "LastFailure": failure if number < 2 else None,
            }
            for number, name in enumerate(NODES)
        ],
        "overview/xapps": [
            {
                "XApp": name,
                "Endpoints": [f"{name.replace('-http', '-rmr')}:4560"],
                "RestSubscriptions": 3 - number,
                "E2Subscriptions": number,
                "Failed": 2,
                "WaitingNotifications": number,
                "LastFailure": failure,
            }
            for number, name in enumerate(XAPPS)
        ],
        "detail": {
            "ClientEndpoint": "service-ricxapp-ts-rmr.ricxapp:4560",
            "NotificationTarget": "http://service-ricxapp-ts-http.ricxapp:8080/ric/v1/subscriptions/response",
            "Owner": None,
            "Details": [
                {
                    "XappEventInstanceId": 12345,
                    "E2EventInstanceId": 7,
                    "State": "established",
                    "Last": {"Outcome": "succeeded", "Cause": "", "Source": "", "Time": None, "Milliseconds": 12},
                    "Timeline": [
                        {"Step": step, "Time": "2026-11-29T23:58:46.123Z", "Milliseconds": passed}
                        for step, passed in (
                            ("posted", 0),
                            ("saved", 1.4),
                            ("route", 5.2),
                            ("requested", 5.6),
                            ("answered", 9.8),
                            ("notified", 12.1),
                        )
                    ],
                    "Words": WORDS,
                    "Contents": {
                        "EventTrigger": {"Model": "KPM", "ReportingPeriod": 1000},
                        "Actions": [{"ActionID": 1, "Style": 1, "Measurements": ["DRB.UEThpDl"], "Granularity": 1000}],
                    },
                }
            ],
            "Events": [],
        },
        **{
            f"nodes/{name}/functions": [
                {
                    "RANFunctionID": 2,
                    "Name": "ORAN-E2SM-KPM",
                    "OID": "1.3.6.1.4.1.53148.1.2.2.2",
                    "Revision": 1,
                    "Definition": {"Styles": [{"Type": 1, "Name": "E2 node measurement"}]},
                }
            ]
            for name in NODES
        },
        "mec/overview": {"Mecs": [mec()]},
        "meo/overview": {"Orchestrators": [orchestrator()]},
    }


def mec() -> Json:
    """A MEC with a UE."""
    ue = {"Ue": "00101********01", "State": "attached", "Addresses": ["192.168.5.2"], "Cell": "001-01/0xa101"}
    use = {"Ue": ue["Ue"], "App": "12345", "MecId": 5, "Here": True, "StateStored": True}
    return {
        "MecId": 5,
        "HomeMecId": 5,
        "Network": "home",
        "Listens": "127.0.0.1:8000",
        "Users": 1,
        "Prefetching": 0,
        "WaitingNotifications": 0,
        "Ues": {"Total": 1, "Items": [{**ue, "Seen": "2026-11-29T23:58:40.000Z"}], "Why": None},
        "Uses": {"Total": 1, "Items": [use]},
    }


def platform(name: str, load: float, key: float, *reasons: str) -> Json:
    """A platform of the orchestrator."""
    return {
        "Name": name,
        "Type": "webhook",
        "Eligible": not reasons,
        "Withdrawn": False,
        "Reasons": list(reasons),
        "Score": (1 - load) * key,
        "Load": load,
        "LoadAge": 1.2,
        "Key": key,
        "KeyAge": 1.2,
        "Contexts": 0 if reasons else 1,
    }


def orchestrator() -> Json:
    """An orchestrator that has moved a context away from a platform under load."""
    context = "a1b2c3d4e5f60718"
    return {
        "Why": None,
        "MaxLoad": 0.8,
        "MinKey": 0.1,
        "Platforms": {
            "Total": 2,
            "Items": [platform("lisbon", 0.42, 0.81), platform("oslo", 0.91, 0.55, "load 0.91 is over 0.8")],
        },
        "Contexts": {
            "Total": 1,
            "Items": [
                {
                    "Id": context,
                    "App": "video",
                    "Platform": "lisbon",
                    "CreatedAt": "2026-11-29T23:50:00.000Z",
                    "MovedAt": "2026-11-29T23:58:50.000Z",
                    "Moves": 1,
                }
            ],
        },
        "Moves": [
            {
                "Time": "2026-11-29T23:58:50.000Z",
                "Context": context,
                "App": "video",
                "Origin": "oslo",
                "Target": "lisbon",
                "Reason": "load 0.91 is over 0.8",
                "Told": "delivered",
            }
        ],
    }
