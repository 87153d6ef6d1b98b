# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from submgr.adapters.notifier import body_of
from submgr.core.commands import Notify
from submgr.core.errors import Failure, Source, TimeoutType
from submgr.core.model import ClientEndpoint
from submgr.e2ap.messages import Cause, NotAdmitted

ENDPOINT = ClientEndpoint("127.0.0.1", 8080, 4560)
REST_ID = "2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA"


def test_success_byte_for_byte() -> None:
    assert body_of(Notify(REST_ID, ENDPOINT, 12345, 1)) == (
        b'{"SubscriptionId":"2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA","SubscriptionInstances":'
        b'[{"XappEventInstanceId":12345,"E2EventInstanceId":1,"ErrorCause":""}]}'
    )


@pytest.mark.parametrize(
    ("failure", "fields"),
    [
        (Failure("PDU cannot be encoded", Source.ASN1), {"ErrorSource": "ASN1"}),
        (
            Failure("E2 RICSubscriptionResponse timeout", Source.SUBMGR, TimeoutType.E2),
            {"ErrorSource": "SUBMGR", "TimeoutType": "E2-Timeout"},
        ),
        (
            Failure("RTMGR route create timeout", Source.RTMGR, TimeoutType.RTMGR),
            {"ErrorSource": "RTMGR", "TimeoutType": "RTMGR-Timeout"},
        ),
        (
            Failure("no answer", Source.DBAAS, TimeoutType.DBAAS),
            {"ErrorSource": "DBAAS", "TimeoutType": "DBAAS-Timeout"},
        ),
        (Failure("E2 interface down", Source.E2NODE), {"ErrorSource": "E2Node"}),
    ],
)
def test_failure(failure: Failure, fields: dict[str, str]) -> None:
    # also when an instance id is given: a failure has none
    body = json.loads(body_of(Notify(REST_ID, ENDPOINT, 7, 3, failure)))
    assert body["SubscriptionInstances"] == [
        {"XappEventInstanceId": 7, "E2EventInstanceId": 0, "ErrorCause": failure.cause, **fields}
    ]


def test_a_failure_always_has_a_cause() -> None:
    body = json.loads(body_of(Notify(REST_ID, ENDPOINT, 7, 0, Failure("", Source.SUBMGR))))
    assert body["SubscriptionInstances"][0]["ErrorCause"]


def test_partial_admission_is_a_success_that_lists_what_was_not_admitted() -> None:
    not_admitted = (NotAdmitted(2, Cause(1, 1)), NotAdmitted(3, Cause(6, 0)), NotAdmitted(4, Cause(99, 5)))
    body = json.loads(body_of(Notify(REST_ID, ENDPOINT, 7, 3, not_admitted=not_admitted)))
    assert body["SubscriptionInstances"] == [
        {
            "XappEventInstanceId": 7,
            "E2EventInstanceId": 3,
            "ErrorCause": "actions not admitted: 2 (ricRequest: action-not-supported), "
            "3 (misc: control-processing-overload), 4 (cause group 99: 5)",
            "ErrorSource": "E2Node",
        }
    ]


def test_a_cause_in_any_language() -> None:
    body = json.loads(body_of(Notify(REST_ID, ENDPOINT, 7, 0, Failure('größer "als" <64>', Source.ASN1))))
    assert body["SubscriptionInstances"][0]["ErrorCause"] == 'größer "als" <64>'
