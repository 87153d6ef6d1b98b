# SPDX-License-Identifier: Apache-2.0
"""What is equal, what is the same request, and what an address looks like."""

from __future__ import annotations

import hashlib
import json

import pytest
from msgspec.structs import replace
from support.core.world import action, content, request

from submgr.core.model import ClientEndpoint, Content, Detail, Directives, RmrEndpoint
from submgr.e2ap.messages import ActionType, SubsequentAction, SubsequentActionType, TimeToWait


@pytest.mark.parametrize("text", ["host:0", "host:4560", "10.0.0.1:65535", "[::1]:4560", "a:b:7"])
def test_an_endpoint_and_its_text(text: str) -> None:
    assert str(RmrEndpoint.parse(text)) == text


@pytest.mark.parametrize("text", ["", "host", "host:", ":4560", "host:x", "host:-1", "host:65536", "host: 1"])
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        RmrEndpoint.parse(text)


@pytest.mark.parametrize(
    ("host", "rmr"),
    [
        ("service-ricxapp-x-http.ricxapp", "service-ricxapp-x-rmr.ricxapp"),
        ("10.0.0.1", "10.0.0.1"),
        ("http-http", "rmr-rmr"),
    ],
)
def test_the_rmr_service_is_named_as_the_http_service(host: str, rmr: str) -> None:
    assert ClientEndpoint(host, 8080, 4560).rmr == RmrEndpoint(rmr, 4560)
    assert ClientEndpoint(host, 8080, 4560).http == f"{host}:8080"


def test_the_key_of_a_content_tells_everything_but_the_order_of_its_actions() -> None:
    one, two = action(1), action(2)
    base = Content(2, b"\1", (one, two))
    assert base.key() == Content(2, b"\1", (two, one)).key()
    wait = SubsequentAction(SubsequentActionType.CONTINUE, TimeToWait.ZERO)
    others = [
        replace(base, ran_function_id=3),
        replace(base, event_trigger=b"\2"),
        replace(base, event_trigger=b""),
        replace(base, actions=(one,)),
        replace(base, actions=(one, replace(two, action_id=3))),
        replace(base, actions=(one, replace(two, action_type=ActionType.INSERT))),
        replace(base, actions=(one, replace(two, definition=None))),
        replace(base, actions=(one, replace(two, definition=b""))),
        replace(base, actions=(one, replace(two, subsequent=wait))),
        replace(base, actions=(one, replace(two, subsequent=replace(wait, type=SubsequentActionType.WAIT)))),
        replace(base, actions=(one, replace(two, subsequent=replace(wait, time_to_wait=TimeToWait.W1MS)))),
    ]
    assert len({base.key(), *(other.key() for other in others)}) == 1 + len(others)


def test_digests_are_those_that_are_stored() -> None:
    """Also of what JSON writes in another way than Python: letters beyond ASCII, quotes, None, False, floats."""
    wait = SubsequentAction(SubsequentActionType.WAIT, TimeToWait.W10MS)
    actions = (replace(action(1), definition=None), replace(action(2), definition=b"\x01\xff", subsequent=wait))
    details = Detail(3, Content(2, b"\x00\x7f", actions)), Detail(4, content(b""))
    given = request(*details, host='h\u00e4"\\')
    given = replace(given, meid="gnb \U0001f4e1", directives=Directives(0.1, None, False), owner="x\u0000app")
    wire = [[1, 0, None, None], [2, 0, "01ff", [SubsequentActionType.WAIT, TimeToWait.W10MS]]]
    text = [
        [given.endpoint.host, given.endpoint.http_port, given.endpoint.rmr_port],
        "gnb \U0001f4e1",
        given.ran_function_id,
        [0.1, None, False],
        [[3, "007f", wire], [4, "", [[1, 0, content().actions[0].definition.hex(), None]]]],
        "x\u0000app",
    ]
    assert given.digest() == hashlib.md5(json.dumps(text).encode(), usedforsecurity=False).hexdigest()
    plain = request(Detail(1, content(b"\x09")))
    assert plain.digest() == "ac843eccc48fa48b15cc67d8f572a677"


def test_the_digest_tells_everything_but_the_subscription_id() -> None:
    base = request()
    assert base.digest() == replace(base, subscription_id="given").digest()
    others = [
        replace(base, meid="another"),
        replace(base, ran_function_id=99),
        replace(base, directives=Directives()),
        replace(base, directives=Directives(2.0)),
        replace(base, directives=Directives(2.0, 1)),
        replace(base, directives=Directives(2.0, 1, True)),
        request(Detail(2, content())),
        request(Detail(1, content()), Detail(2, content())),
        request(http_port=1),
        request(rmr_port=1),
        request(host="another"),
    ]
    digests = {base.digest(), *(other.digest() for other in others)}
    assert len(digests) == 1 + len(others)
    assert all(len(digest) == 32 and set(digest) <= set("0123456789abcdef") for digest in digests)
