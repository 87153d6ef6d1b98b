# SPDX-License-Identifier: Apache-2.0
"""What is taken as a subscription request, and how the mistakes of one are told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from submgr.core.errors import RefusedError
from submgr.core.model import ClientEndpoint, Content, Detail, Directives, SubscribeRequest
from submgr.e2ap.messages import Action, ActionType, SubsequentAction, SubsequentActionType, TimeToWait
from submgr.platform.http.json_fields import MAX_MISTAKES
from submgr.rest.schemas import parse_subscribe
from submgr.rest.values import MAX_WRONG_OCTETS

Body = dict[str, Any]
ABSENT = object()


def parse(body: object) -> SubscribeRequest:
    return parse_subscribe(json.dumps(body).encode())


def refused(body: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        parse_subscribe(body if isinstance(body, bytes) else json.dumps(body).encode())
    assert caught.value.status == 400
    return caught.value


def mistakes(body: object) -> dict[str, str]:
    error = refused(body)
    assert error.errors, error.message
    return {mistake.field: mistake.message for mistake in error.errors}


def put(body: Body, path: str, value: object) -> Body:
    """Set, or with ABSENT remove, what `path` names, e.g. `SubscriptionDetails[0].EventTriggers`."""
    *way, last = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    target: Any = body
    for step in way:
        target = target[step]
    if value is ABSENT:
        del target[last]
    else:
        target[last] = value
    return body


ACTIONS = "SubscriptionDetails[0].ActionToBeSetupList"


def test_everything_given(body: Body) -> None:
    subsequent = SubsequentAction(SubsequentActionType.CONTINUE, TimeToWait.W10MS)
    actions = (
        Action(1, ActionType.REPORT, bytes([5, 6, 7, 8]), subsequent),
        Action(2, ActionType.REPORT, None, None),
    )
    assert parse(body) == SubscribeRequest(
        endpoint=ClientEndpoint("service-ricxapp-a-http.ricxapp", 8080, 4560),
        meid="gnb_001_001_000001",
        ran_function_id=2,
        details=(Detail(12345, Content(2, bytes([1, 2, 3, 4]), actions)),),
        directives=Directives(timeout=3.0, tries=2, routing=True),
        subscription_id="2ab",
    )


SNAKE = {
    "SubscriptionId": "subscription_id",
    "ClientEndpoint": "client_endpoint",
    "Host": "host",
    "HTTPPort": "http_port",
    "RMRPort": "rmr_port",
    "Meid": "meid",
    "RANFunctionID": "ran_function_id",
    "E2SubscriptionDirectives": "e2_subscription_directives",
    "E2TimeoutTimerValue": "e2_timeout_timer_value",
    "E2RetryCount": "e2_retry_count",
    "RMRRoutingNeeded": "rmr_routing_needed",
    "SubscriptionDetails": "subscription_details",
    "XappEventInstanceId": "xapp_event_instance_id",
    "EventTriggers": "event_triggers",
    "ActionToBeSetupList": "action_to_be_setup_list",
    "ActionID": "action_id",
    "ActionType": "action_type",
    "ActionDefinition": "action_definition",
    "SubsequentAction": "subsequent_action",
    "SubsequentActionType": "subsequent_action_type",
    "TimeToWait": "time_to_wait",
}


@pytest.mark.parametrize("spell", [SNAKE.__getitem__, str.lower, str.upper, lambda key: key[0].lower() + key[1:]])
def test_keys_in_other_spellings(body: Body, spell: Any) -> None:
    text = json.dumps(body)
    for key in SNAKE:
        text = text.replace(f'"{key}"', f'"{spell(key)}"')
    assert parse_subscribe(text.encode()) == parse(body)


def test_unknown_keys_are_ignored_at_every_level(body: Body) -> None:
    plain = parse(body)
    for path in ("Extra", "ClientEndpoint.Extra", "SubscriptionDetails[0].Extra", f"{ACTIONS}[0].TimeToWait"):
        put(body, path, {"any": ["thing"]})
    assert parse(body) == plain


@pytest.mark.parametrize(
    ("path", "attribute"),
    [("SubscriptionId", "subscription_id"), ("E2SubscriptionDirectives", "directives")],
)
def test_null_is_absent(body: Body, path: str, attribute: str) -> None:
    absent = parse(put(json.loads(json.dumps(body)), path, ABSENT))
    assert getattr(absent, attribute) is None
    assert parse(put(body, path, None)) == absent


def test_null_in_an_action_is_absent(body: Body) -> None:
    put(body, f"{ACTIONS}[0].SubsequentAction", None)
    put(body, f"{ACTIONS}[0].ActionDefinition", None)
    action = parse(body).details[0].content.actions[0]
    assert (action.definition, action.subsequent) == (None, None)


def test_empty_id_is_absent(body: Body) -> None:
    assert parse(put(body, "SubscriptionId", "")).subscription_id is None


@pytest.mark.parametrize(
    ("given", "octets"),
    [
        ([], b""),
        ([0, 255], b"\x00\xff"),
        ([-1, -128, 127, 128], b"\xff\x80\x7f\x80"),
        ([1234, 5678], b"\xd2\x2e"),
        ([1, 256, -129, 10**30 + 7], b"\x01\x00\x7f\x07"),
    ],
)
def test_octets(body: Body, given: list[int], octets: bytes) -> None:
    """The low octet of each integer, as the Go implementation takes it."""
    put(body, "SubscriptionDetails[0].EventTriggers", given)
    put(body, f"{ACTIONS}[0].ActionDefinition", given)
    request = parse(body)
    content = request.details[0].content
    assert (content.event_trigger, content.actions[0].definition) == (octets, octets)
    assert request.folded_octets == 2 * sum(number not in range(256) for number in given)


def test_requests_are_the_same_by_their_octets(body: Body) -> None:
    plain = parse(put(body, "SubscriptionDetails[0].EventTriggers", [0xD2]))
    folded = parse(put(body, "SubscriptionDetails[0].EventTriggers", [1234]))
    assert (replace(folded, folded_octets=0), folded.digest()) == (plain, plain.digest())
    assert (plain.folded_octets, folded.folded_octets) == (0, 1)


@pytest.mark.parametrize("octet", [256, -1, -129, 1234, 10**30, "0803e7", True, None, 1.0])
def test_a_wrong_octet_where_octets_are_strict(body: Body, octet: object) -> None:
    put(body, f"{ACTIONS}[1].ActionDefinition", [1, 2, octet, 4])
    with pytest.raises(RefusedError) as caught:
        parse_subscribe(json.dumps(body).encode(), strict_octets=True)
    assert [mistake.field for mistake in caught.value.errors] == [f"{ACTIONS}[1].ActionDefinition[2]"]


def test_octets_where_they_are_strict(body: Body) -> None:
    put(body, f"{ACTIONS}[1].ActionDefinition", [0, 255])
    assert parse_subscribe(json.dumps(body).encode(), strict_octets=True) == parse(body)


@pytest.mark.parametrize("octet", ["0803e7", True, None, 1.0, 1.5, [1], {}, 1e30])
def test_a_wrong_octet_is_named_by_its_index(body: Body, octet: object) -> None:
    put(body, f"{ACTIONS}[1].ActionDefinition", [1, 2, octet, 4])
    assert list(mistakes(body)) == [f"{ACTIONS}[1].ActionDefinition[2]"]


def test_zeros_are_values(body: Body) -> None:
    put(body, "RANFunctionID", 0)
    put(body, "SubscriptionDetails[0].XappEventInstanceId", 0)
    put(body, f"{ACTIONS}[0].ActionID", 0)
    put(body, "E2SubscriptionDirectives.E2RetryCount", 0)
    request = parse(body)
    assert (request.ran_function_id, request.details[0].xapp_event_instance_id) == (0, 0)
    assert request.details[0].content.actions[0].action_id == 0
    assert request.directives == Directives(3.0, 1, True)


def test_directives_absent_and_empty(body: Body) -> None:
    assert parse(put(body, "E2SubscriptionDirectives", {})).directives == Directives(None, None, False)
    request = parse(put(body, "E2SubscriptionDirectives", ABSENT))
    assert request.directives is None
    assert request.routed


@pytest.mark.parametrize("name", ["insert", "policy", "report"])
def test_action_types(body: Body, name: str) -> None:
    put(body, f"{ACTIONS}[0].ActionType", name)
    put(body, f"{ACTIONS}[1].ActionType", name)
    assert parse(body).details[0].content.action_type is ActionType[name.upper()]


def test_times_to_wait_in_order(body: Body) -> None:
    names = ["zero", "w1ms", "w2ms", "w5ms", "w10ms", "w20ms", "w30ms", "w40ms", "w50ms", "w100ms", "w200ms", "w500ms",
             "w1s", "w2s", "w5s", "w10s", "w20s", "w60s"]  # fmt: skip
    for number, name in enumerate(names):
        put(body, f"{ACTIONS}[0].SubsequentAction", {"SubsequentActionType": "wait", "TimeToWait": name})
        subsequent = parse(body).details[0].content.actions[0].subsequent
        assert subsequent == SubsequentAction(SubsequentActionType.WAIT, TimeToWait(number))


@pytest.mark.parametrize("port", [ABSENT, None, 0])
def test_no_rmr_port_needed_without_a_route(body: Body, port: object) -> None:
    put(body, "E2SubscriptionDirectives.RMRRoutingNeeded", False)
    assert parse(put(body, "ClientEndpoint.RMRPort", port)).endpoint.rmr_port == 0


def test_more_actions_than_e2ap_takes_are_no_bad_request(body: Body) -> None:
    put(body, ACTIONS, [{"ActionID": n, "ActionType": "policy"} for n in range(17)])
    assert len(parse(body).details[0].content.actions) == 17


def test_details_may_differ_in_type(body: Body) -> None:
    other = json.loads(json.dumps(body["SubscriptionDetails"][0]))
    other["XappEventInstanceId"] = 2
    for action in other["ActionToBeSetupList"]:
        action["ActionType"] = "insert"
    body["SubscriptionDetails"].append(other)
    assert [d.content.action_type for d in parse(body).details] == [ActionType.REPORT, ActionType.INSERT]


REQUIRED = [
    "ClientEndpoint",
    "ClientEndpoint.Host",
    "ClientEndpoint.HTTPPort",
    "ClientEndpoint.RMRPort",
    "Meid",
    "RANFunctionID",
    "SubscriptionDetails",
    "SubscriptionDetails[0].XappEventInstanceId",
    "SubscriptionDetails[0].EventTriggers",
    ACTIONS,
    f"{ACTIONS}[0].ActionID",
    f"{ACTIONS}[0].ActionType",
    f"{ACTIONS}[0].SubsequentAction.SubsequentActionType",
    f"{ACTIONS}[0].SubsequentAction.TimeToWait",
]


@pytest.mark.parametrize("path", REQUIRED)
@pytest.mark.parametrize("value", [ABSENT, None])
def test_required_fields(body: Body, path: str, value: object) -> None:
    found = mistakes(put(body, path, value))
    assert list(found) == [path]
    assert found[path].startswith("is required")


WRONG = [
    ("SubscriptionId", 5),
    ("ClientEndpoint", ["host:8080"]),
    ("ClientEndpoint", "host:8080"),
    ("ClientEndpoint.Host", ""),
    ("ClientEndpoint.Host", 5),
    ("ClientEndpoint.Host", "http://service-ricxapp-a-http.ricxapp"),
    ("ClientEndpoint.Host", "host/ric/v1"),
    ("ClientEndpoint.Host", "host:8080"),
    ("ClientEndpoint.Host", "::1"),
    ("ClientEndpoint.Host", "ho st"),
    ("ClientEndpoint.Host", "host\r\nX: y"),
    ("ClientEndpoint.Host", "h" * 254),
    ("ClientEndpoint.HTTPPort", 0),
    ("ClientEndpoint.HTTPPort", 65536),
    ("ClientEndpoint.HTTPPort", -1),
    ("ClientEndpoint.HTTPPort", "8080"),
    ("ClientEndpoint.HTTPPort", 8080.0),
    ("ClientEndpoint.HTTPPort", True),
    ("ClientEndpoint.RMRPort", 0),
    ("ClientEndpoint.RMRPort", 65536),
    ("Meid", ""),
    ("Meid", "n" * 32),
    ("Meid", "ä" * 16),
    ("Meid", "gnb\x00"),
    ("Meid", 7),
    ("RANFunctionID", -1),
    ("RANFunctionID", 4096),
    ("RANFunctionID", 1.5),
    ("RANFunctionID", False),
    ("RANFunctionID", 10**40),
    ("E2SubscriptionDirectives", []),
    ("E2SubscriptionDirectives", "none"),
    ("E2SubscriptionDirectives.E2TimeoutTimerValue", 0),
    ("E2SubscriptionDirectives.E2TimeoutTimerValue", 11),
    ("E2SubscriptionDirectives.E2TimeoutTimerValue", "2"),
    ("E2SubscriptionDirectives.E2RetryCount", -1),
    ("E2SubscriptionDirectives.E2RetryCount", 11),
    ("E2SubscriptionDirectives.RMRRoutingNeeded", "true"),
    ("E2SubscriptionDirectives.RMRRoutingNeeded", 1),
    ("SubscriptionDetails", []),
    ("SubscriptionDetails", {}),
    ("SubscriptionDetails[0]", None),
    ("SubscriptionDetails[0]", []),
    ("SubscriptionDetails[0].XappEventInstanceId", 65536),
    ("SubscriptionDetails[0].XappEventInstanceId", "1"),
    ("SubscriptionDetails[0].EventTriggers", "AQID"),
    ("SubscriptionDetails[0].EventTriggers", {"ProcedureCode": 0}),
    (ACTIONS, []),
    (ACTIONS, {}),
    (f"{ACTIONS}[1]", 5),
    (f"{ACTIONS}[1].ActionID", 256),
    (f"{ACTIONS}[1].ActionID", -1),
    (f"{ACTIONS}[1].ActionID", 1),
    (f"{ACTIONS}[1].ActionType", "insert"),
    (f"{ACTIONS}[1].ActionType", "control"),
    (f"{ACTIONS}[1].ActionType", "Report"),
    (f"{ACTIONS}[1].ActionType", 0),
    (f"{ACTIONS}[0].ActionDefinition", {}),
    (f"{ACTIONS}[0].SubsequentAction", []),
    (f"{ACTIONS}[0].SubsequentAction.SubsequentActionType", "stop"),
    (f"{ACTIONS}[0].SubsequentAction.TimeToWait", "10ms"),
    (f"{ACTIONS}[0].SubsequentAction.TimeToWait", ["w10ms"]),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_wrong_value_is_named_by_its_path(body: Body, path: str, value: object) -> None:
    error = refused(put(body, path, value))
    assert [mistake.field for mistake in error.errors] == [path]
    assert error.message == f"{path} {error.errors[0].message}"


def test_a_host_with_a_scheme_is_told_so(body: Body) -> None:
    put(body, "ClientEndpoint.Host", "http://service-ricxapp-a-http.ricxapp")
    assert "without scheme and path" in mistakes(body)["ClientEndpoint.Host"]


def test_an_address_in_brackets_is_a_host(body: Body) -> None:
    assert parse(put(body, "ClientEndpoint.Host", "[::1]")).endpoint.http == "[::1]:8080"


def test_the_longest_meid(body: Body) -> None:
    assert parse(put(body, "Meid", "n" * 31)).meid == "n" * 31


def test_two_details_with_one_xapp_event_instance_id(body: Body) -> None:
    body["SubscriptionDetails"].append(body["SubscriptionDetails"][0])
    found = mistakes(body)
    assert list(found) == ["SubscriptionDetails[1].XappEventInstanceId"]
    assert "SubscriptionDetails[0]" in found["SubscriptionDetails[1].XappEventInstanceId"]


def test_all_mistakes_are_told_together_in_canonical_spelling() -> None:
    wrong = {
        "client_endpoint": {"host": "", "httpPort": "80"},
        "MEID": 5,
        "subscription_details": [
            {"eventTriggers": [None, 1, "x"], "action_to_be_setup_list": []},
            {"XappEventInstanceID": 1, "event_triggers": [], "actionToBeSetupList": [{"action_id": 1}]},
        ],
    }
    assert list(mistakes(wrong)) == [
        "ClientEndpoint.Host",
        "ClientEndpoint.HTTPPort",
        "ClientEndpoint.RMRPort",
        "Meid",
        "RANFunctionID",
        "SubscriptionDetails[0].XappEventInstanceId",
        "SubscriptionDetails[0].EventTriggers[0]",
        "SubscriptionDetails[0].EventTriggers[2]",
        "SubscriptionDetails[0].ActionToBeSetupList",
        "SubscriptionDetails[1].ActionToBeSetupList[0].ActionType",
    ]
    assert refused(wrong).message.endswith("(and 9 more mistakes)")


def test_wrong_directives_do_not_ask_for_a_port_as_well(body: Body) -> None:
    put(body, "ClientEndpoint.RMRPort", 0)
    assert list(mistakes(put(body, "E2SubscriptionDirectives", "none"))) == ["E2SubscriptionDirectives"]


def test_the_answer_to_endless_mistakes_is_short(body: Body) -> None:
    put(body, "SubscriptionDetails[0].EventTriggers", ["ff"] * 5000)
    body["SubscriptionDetails"] += [{}] * 5000
    fields = list(mistakes(body))
    assert len(fields) == MAX_MISTAKES
    assert sum("EventTriggers[" in field for field in fields) == MAX_WRONG_OCTETS
    assert len(json.dumps(mistakes(put(body, "Meid", "n" * 100_000)))) < 20_000


def test_one_key_in_two_spellings(body: Body) -> None:
    body["meid"] = body["Meid"]
    assert parse(body).meid == body["Meid"]
    body["mEid"] = "another"
    assert "meid" in mistakes(body)["Meid"].lower()
    assert list(mistakes(body)) == ["Meid"]


def test_a_null_beside_the_value_in_another_spelling_is_absent(body: Body) -> None:
    body["subscription_id"] = None
    assert parse(body).subscription_id == "2ab"


def test_of_one_key_twice_the_last_counts(body: Body) -> None:
    text = json.dumps(body).replace('"Meid"', '"Meid": "first", "Meid"')
    assert parse_subscribe(text.encode()) == parse(body)


def test_a_byte_order_mark_is_passed_over(body: Body) -> None:
    assert parse_subscribe(b"\xef\xbb\xbf" + json.dumps(body).encode()) == parse(body)


@pytest.mark.parametrize(
    ("garbage", "words"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"{", "is not JSON"),
        (b"{} {}", "is not JSON"),
        (b'{"Meid": NaN}', "is not JSON"),
        (b'{"Meid": 1e999}', "is not JSON"),
        (b'{"Meid": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b'{"Meid": "\xff"}', "is not UTF-8"),
        (b'{"Meid": "\\ud800"}', "is not JSON"),
        ('{"Meid": "x"}'.encode("utf-16"), "is not JSON"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b"Meid=x&RANFunctionID=1", "is not JSON"),
        (b"[]", "must be a JSON object, not a list"),
        (b"null", "must be a JSON object, not null"),
        (b'"text"', "must be a JSON object"),
        (b"5", "must be a JSON object, not 5"),
    ],
)
def test_what_is_no_json_object(garbage: bytes, words: str) -> None:
    error = refused(garbage)
    assert words in error.message
    assert error.errors == ()
