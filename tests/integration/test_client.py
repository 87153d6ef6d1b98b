# SPDX-License-Identifier: Apache-2.0
"""`submgr.client` against a stand-alone run: what comes of requests, over restarts, and when things fail."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ports import free_port
from support.processes.standalone import NODES, QUICK, Standalone
from support.tls.authority import Authority
from support.waiting import eventually

from submgr.client import (
    Action,
    Closed,
    Detail,
    Directives,
    Instance,
    InvalidRequest,
    NotAvailable,
    NotKnown,
    NotNotified,
    Retries,
    SubscriptionFailed,
    Subscriptions,
    Tls,
    Unreachable,
)

KPM = 2
TRIGGER = b"\x08\x03\xe7"
IMPATIENT = Retries(tries=2, first=0.01, most=0.05)


def detail(number: int = 1, definition: bytes = b"\x01\x02", kind: str = "report") -> Detail:
    return Detail(number, TRIGGER, [Action(1, kind, definition)])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    controls = {**QUICK, "onE2Loss": "notify", "restoreDelay_ms": 0}
    with Standalone(tmp_path_factory.mktemp("run"), controls=controls, rtmgr={"timeout_ms": 500}) as run:
        yield run


@pytest.fixture
def run(running: Standalone) -> Iterator[Standalone]:
    yield running
    running.behave()
    for name in NODES:
        running.node(name, "connected")


def client(run: Standalone, **options: object) -> Subscriptions:
    return Subscriptions(f"http://{run.xapp}", **{"unsubscribe": True, "retries": IMPATIENT, **options})  # type: ignore[arg-type]


def test_subscribe_wait_delete(run: Standalone) -> None:
    with client(run) as s:
        sub = s.subscribe(NODES[0], KPM, [detail(1), detail(2, b"\x03")])
        first, second = sub.wait()
        assert (first.xapp_event_instance_id, second.xapp_event_instance_id) == (1, 2)
        assert first.succeeded
        assert {first.e2_event_instance_id, second.e2_event_instance_id} == run.holds()
        held = next(one for one in s.listed() if one.instance_id == first.e2_event_instance_id)
        assert (held.meid, held.rest_subscription_ids) == (NODES[0], (sub.id,))
        assert held.client_endpoints == ("127.0.0.1:4560",)
        sub.delete()
        sub.delete()
        for ended in (sub.wait, sub.resend):
            with pytest.raises(Closed):
                ended()
    eventually(lambda: not run.holds())


def test_details_in_the_form_of_the_interface(run: Standalone) -> None:
    with client(run) as s:
        (instance,) = s.subscribe(NODES[0], KPM, run.example["SubscriptionDetails"]).wait()
        assert instance.xapp_event_instance_id == 12345


def test_leaving_keeps_what_is_subscribed_unless_told(run: Standalone) -> None:
    with client(run, unsubscribe=False) as s:
        sub = s.subscribe(NODES[0], KPM, [detail()])
        sub.wait()
    with pytest.raises(Closed):
        s.subscribe(NODES[0], KPM, [detail()])
    with pytest.raises(Closed):
        sub.wait()
    assert len(run.holds()) == 1
    with client(run) as s:
        s.unsubscribe(sub.id)
    eventually(lambda: not run.holds())


def test_a_restarted_xapp_finds_its_ids(run: Standalone, tmp_path: Path) -> None:
    ids = tmp_path / "ids.json"
    with client(run, ids=ids, unsubscribe=False) as s:
        before = s.subscribe(NODES[0], KPM, [detail()])
        (told,) = before.wait()
    with client(run, ids=ids) as s:  # another port: only the id tells that it is the same xApp
        assert list(s.remembered.values()) == [before.id]
        after = s.subscribe(NODES[0], KPM, [detail()])
        assert after.id == before.id
        assert after.wait() == (told,)
    with client(run, ids=ids, unsubscribe=False) as s:
        assert not s.remembered
    eventually(lambda: not run.holds())


def test_a_named_request_that_has_changed_is_made_anew(run: Standalone, tmp_path: Path) -> None:
    ids = tmp_path / "ids.json"
    with client(run, ids=ids, unsubscribe=False) as s:
        before = s.subscribe(NODES[0], KPM, [detail()], name="kpm")
        before.wait()
    with client(run, ids=ids) as s:
        after = s.subscribe(NODES[0], KPM, [detail(1, b"\x07")], name="kpm")
        after.wait()
        assert after.id != before.id
        assert s.remembered == {"kpm": after.id}
        eventually(lambda: len(run.holds()) == 1)


def test_an_id_that_is_lost_is_no_obstacle(run: Standalone, tmp_path: Path) -> None:
    with client(run, ids=tmp_path / "ids.json") as s:
        sub = s.subscribe(NODES[0], KPM, [detail()])
        sub.wait()
        before = sub.id
        run.send("DELETE", run.platform, f"/ric/v1/delete_all_e2node_subscriptions/{NODES[0]}")
        eventually(lambda: not run.holds())
        sub.resend()
        (told,) = sub.wait()
        assert sub.id != before
        assert {told.e2_event_instance_id} == run.holds()


def test_a_policy_is_updated(run: Standalone) -> None:
    with client(run) as s:
        sub = s.subscribe(NODES[0], 3, [detail(1, b"\x01", "policy")])
        (before,) = sub.wait()
        sub.update([detail(1, b"\x02", "policy")])
        assert sub.wait() == (before,)
        with pytest.raises(InvalidRequest):
            sub.update([detail(1, b"\x02", "report")])
        assert sub.wait() == (before,)


def test_mistakes_are_told_by_field(run: Standalone) -> None:
    with client(run) as s, pytest.raises(InvalidRequest) as caught:
        s.subscribe("", 5000, [Detail(70000, b"", [])])
    assert {error.field for error in caught.value.errors} >= {
        "Meid",
        "RANFunctionID",
        "SubscriptionDetails[0].XappEventInstanceId",
        "SubscriptionDetails[0].ActionToBeSetupList",
    }
    assert caught.value.status == 400


def test_an_unknown_node_is_not_available(run: Standalone) -> None:
    with client(run) as s, pytest.raises(NotAvailable, match=NODES[0]) as caught:
        s.subscribe("gnb_unknown", KPM, [detail()])
    assert caught.value.status == 503


def test_a_node_that_refuses(run: Standalone) -> None:
    run.node_does(procedure="subscribe", refuse="ricRequest: action-not-supported")
    with client(run) as s:
        sub = s.subscribe(NODES[0], KPM, [detail()])
        with pytest.raises(SubscriptionFailed, match="action-not-supported") as caught:
            sub.wait()
        assert (caught.value.error_source, caught.value.timeout_type) == ("E2Node", "")
        assert not caught.value.failures[0].may_pass
        run.behave()
        sub.resend()
        assert sub.wait()[0].succeeded


def test_a_node_that_is_silent_once(run: Standalone) -> None:
    run.node_does(procedure="subscribe", silent="request", count=1)
    with client(run) as s:
        sub = s.subscribe(NODES[1], KPM, [detail()], directives=Directives(timeout=1, retries=0))
        with pytest.raises(SubscriptionFailed) as caught:
            sub.wait()
        assert (caught.value.error_source, caught.value.timeout_type) == ("SUBMGR", "E2-Timeout")
        sub.resend()
        assert sub.wait()[0].succeeded


def test_a_failure_that_may_pass_is_tried_again_when_asked_for(run: Standalone) -> None:
    run.rtmgr_does(method="POST", status=500, count=1)
    with client(run) as s:
        sub = s.subscribe(NODES[2], KPM, [detail()])
        assert sub.wait(resend=1)[0].succeeded
    run.rtmgr_does(method="POST", status=500)
    with client(run) as s:
        sub = s.subscribe(NODES[2], KPM, [detail()])
        with pytest.raises(SubscriptionFailed, match="RTMGR") as caught:
            sub.wait(resend=1)
        assert caught.value.error_source == "RTMGR"


def test_some_succeed_and_some_fail(run: Standalone) -> None:
    run.node_does(procedure="subscribe", refuse="misc: hardware-failure", nth=2, count=1)
    with client(run) as s:
        sub = s.subscribe(NODES[0], KPM, [detail(1), detail(2, b"\x03")])
        with pytest.raises(SubscriptionFailed) as caught:
            sub.wait()
        assert [one.xapp_event_instance_id for one in caught.value.failures] == [2]
        assert [one.xapp_event_instance_id for one in caught.value.successes] == [1]
        assert sub.instances[1].succeeded


def test_a_lost_node_is_told_later(run: Standalone) -> None:
    told: queue.Queue[Instance] = queue.Queue()
    with client(run) as s:
        sub = s.subscribe(NODES[0], KPM, [detail()], on_change=lambda sub, instance: told.put(instance))
        sub.wait()
        assert told.get(timeout=20).succeeded
        run.node(NODES[0], "disconnected")
        lost = told.get(timeout=20)
        assert (lost.e2_event_instance_id, lost.error_source) == (0, "E2Node")
        assert lost.error_cause.startswith("E2 interface down")
        assert lost.may_pass
        run.node(NODES[0], "connected")
        sub.resend()
        assert sub.wait()[0].succeeded
        assert told.get(timeout=20).succeeded


def test_a_callback_that_fails_takes_no_other_with_it(run: Standalone) -> None:
    told: queue.Queue[int] = queue.Queue()

    def called(sub: object, instance: Instance) -> None:
        told.put(instance.xapp_event_instance_id)
        raise RuntimeError("of the xApp")

    with client(run) as s:
        s.subscribe(NODES[0], KPM, [detail(1), detail(2, b"\x03")], on_change=called).wait()
        assert {told.get(timeout=20), told.get(timeout=20)} == {1, 2}


def test_a_notification_that_never_comes(run: Standalone) -> None:
    with client(run, host="127.0.0.2") as s:  # it listens on 127.0.0.2, and so is notified
        assert s.subscribe(NODES[0], KPM, [detail()]).wait()[0].succeeded
    with client(run, listen="127.0.0.3") as s:  # and here nobody answers where it says it is
        with pytest.raises(NotNotified) as caught:
            s.subscribe(NODES[0], KPM, [detail(7)]).wait(0.5)
        assert caught.value.missing == (7,)
        assert isinstance(caught.value, TimeoutError)


def test_nobody_there() -> None:
    with Subscriptions(f"http://127.0.0.1:{free_port()}", retries=IMPATIENT) as s:
        with pytest.raises(Unreachable):
            s.subscribe(NODES[0], KPM, [detail()])
        with pytest.raises(Unreachable):
            s.unsubscribe("1")


def test_somebody_else_there() -> None:
    """A server that answers nonsense and one that says nothing are nobody, in bounded time."""
    for answer in (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]", b"\x00\x01\r\n\r\n", b""):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with Subscriptions(f"http://127.0.0.1:{port}", retries=Retries(tries=1), timeout=0.3) as s:
                began = time.monotonic()

                def serve(server: socket.socket = server, answer: bytes = answer) -> None:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)
                        if not answer:
                            connection.recv(1)

                thread = threading.Thread(target=serve)
                thread.start()
                with pytest.raises(Unreachable):
                    s.subscribe(NODES[0], KPM, [detail()])
                thread.join()
                assert time.monotonic() - began < 20


def test_over_https_with_certificates_both_ways(tmp_path: Path) -> None:
    """The xApp shows a certificate, owns what it has made, and is notified by https."""
    authority = Authority(tmp_path)
    daemon, ours, other = (authority.issue(name, "127.0.0.1", common_name=name) for name in ("daemon", "xapp", "other"))
    tls = {"cert": daemon.certificate, "key": daemon.key, "clientCa": authority.ca, "ca": authority.ca}
    tls |= {"ownCert": daemon.certificate, "ownKey": daemon.key}
    tls |= {"listeners": ["xapp"], "ownership": True, "xapps": True}  # type: ignore[dict-item]
    with Standalone(tmp_path, tls=tls, controls=QUICK, subscription={"retryDelay": 1}) as run:
        mine = Tls(authority.ca, ours.certificate, ours.key)
        url = f"https://{run.xapp}"
        with Subscriptions(url, unsubscribe=True, tls=mine, notification_tls=mine, retries=IMPATIENT) as s:
            sub = s.subscribe(NODES[0], KPM, [detail()])
            assert sub.wait()[0].succeeded
            stranger = Tls(authority.ca, other.certificate, other.key)
            with Subscriptions(url, tls=stranger, retries=IMPATIENT) as another:
                assert another.listed() == ()
                with pytest.raises(NotKnown):
                    another.unsubscribe(sub.id)
            assert len(s.listed()) == 1
        with Subscriptions(url, tls=Tls(authority.ca), retries=IMPATIENT) as nobody, pytest.raises(Unreachable):
            nobody.listed()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8088", "ftp://x", "http://"])
def test_an_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        Subscriptions(url)
