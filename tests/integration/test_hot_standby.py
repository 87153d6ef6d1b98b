# SPDX-License-Identifier: Apache-2.0
"""Two daemons on one redis: one acts, the other takes over; never both, and nothing is forgotten."""

from __future__ import annotations

import signal
import time

import gevent
import pytest
from support.ports import free_port
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.pair import LEASE, MOST, Pair, at_node_and_listed, subscribed
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.processes.relay import Relay
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.platform.shutdown import LOST_LEASE
from submgr.rmr import mtypes

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


def sources_since(around: Neighbourhood, number: int) -> set[str]:
    """Who has sent anything to the E2 Termination since."""
    return {entry["source"] for entry in around.e2term.log.entries(number, "received")}


def last_event(around: Neighbourhood) -> int:
    entries = around.e2term.log.entries()
    return int(entries[-1]["n"]) if entries else 0


def source_of(daemon: Daemon) -> str:
    return f"127.0.0.1:{daemon.rmr_port}"


def test_the_standby_is_alive_and_says_who_is_active(around: Neighbourhood, pair: Pair) -> None:
    standby = pair.other(pair.active)
    assert standby.platform("GET", "health/alive")[0] == 200
    status, report = standby.platform("GET", "health/ready")
    assert status == 503
    (reason,) = report["reasons"]
    assert "standby of submgr-0" in reason
    url = f"http://127.0.0.1:{standby.xapp_port}/ric/v1/subscriptions"
    for method, path in (("POST", ""), ("GET", ""), ("DELETE", "/unknown")):
        answer = standby.http.request(method, url + path, body=b"{}" if method == "POST" else None)
        assert answer.status == 503
        assert b"standby of submgr-0" in answer.body
        assert int(answer.headers["retry-after"]) >= 1
    assert standby.platform("GET", "restsubscriptions")[0] == 503
    waits = [event["Words"] for event in standby.platform("GET", "events?kind=start")[1]]
    assert any(words.startswith("not ready yet: standby") for words in waits)
    assert standby.platform("GET", "overview")[1]["Role"] == "standby"
    taken = [event["Words"] for event in pair.active.platform("GET", "events?kind=leadership")[1]]
    assert taken[0] == "this process has the lease, and takes over"
    assert standby.metric("submgr_active") == 0
    assert pair.active.metric("submgr_active") == 1
    assert pair.active.metric("submgr_take_overs_total") == 1
    assert 0 <= pair.active.metric("submgr_lease_age_seconds") < LEASE


def test_after_a_kill_the_standby_acts_within_the_lease_and_two_seconds(around: Neighbourhood, pair: Pair) -> None:
    active, standby = pair.both
    ids = subscribed(around, active)
    around.xapp_does(close=True)
    untold = active.subscribe(around.request("gnb_2", detail(xei=7)))
    eventually(lambda: around.holds("gnb_2"))
    around.node_does(procedure="subscribe", silent="answer")
    active.subscribe(around.request("gnb_3", detail(xei=8)))
    eventually(lambda: around.holds("gnb_3"))
    around.node_does(procedure="delete", silent="request")
    active.unsubscribe(ids[0])
    told = len(around.xapp.notifications)
    active.kill()
    around.e2term.rules.clear()
    around.xapp.rules.clear()
    assert pair.until_ready(standby) < MOST
    eventually(lambda: not around.holds("gnb_3"), what="the subscription that was in flight is undone")
    eventually(lambda: len(around.holds()) == 2, what="the accepted delete goes on")
    eventually(lambda: untold in [each.body["SubscriptionId"] for each in around.xapp.notifications[told:]])
    assert {ids[1], ids[2], untold} <= set(standby.rests())
    eventually(lambda: ids[0] not in standby.rests())
    eventually(lambda: len(standby.listed()) == 3, what=lambda: standby.listed())


def test_a_lease_that_is_given_back_is_taken_within_a_second(around: Neighbourhood, pair: Pair) -> None:
    active, standby = pair.both
    subscribed(around, active)
    began = time.monotonic()
    active.process.send_signal(signal.SIGTERM)
    pair.until_ready(standby)
    assert time.monotonic() - began < 1.0
    assert active.wait() == 0
    assert len(at_node_and_listed(around, standby)[1]) == 3
    pair.again(active)
    standby.process.send_signal(signal.SIGTERM)
    pair.until_ready(active, 1.0)
    assert len(at_node_and_listed(around, active)[1]) == 3


def test_nothing_leaves_a_process_that_was_stopped_for_longer_than_its_lease(around: Neighbourhood, pair: Pair) -> None:
    active, standby = pair.both
    ids = subscribed(around, active)
    # it has something to do when it goes on: retransmissions, a notification, routes
    around.node_does(procedure="subscribe", meid="gnb_2", silent="answer")
    around.xapp_does(close=True, count=1)
    active.subscribe(around.request("gnb_2", detail(xei=7)))
    active.subscribe(around.request("gnb_3", detail(xei=8)))
    active.unsubscribe(ids[0])
    active.process.send_signal(signal.SIGSTOP)
    gevent.sleep(0.3)  # what the kernel has of it arrives
    before = last_event(around)
    assert pair.until_ready(standby) < MOST
    around.e2term.rules.clear()
    eventually(
        lambda: standby.metric("submgr_procedures_in_flight") + standby.metric("submgr_notifications_waiting") == 0
    )
    held, rests = at_node_and_listed(around, standby)
    routes, told = len(around.rtmgr.log.entries(event="received")), len(around.xapp.notifications)
    active.process.send_signal(signal.SIGCONT)
    assert active.wait() == LOST_LEASE
    gevent.sleep(0.5)
    assert sources_since(around, before) <= {source_of(standby)}
    assert len(around.rtmgr.log.entries(event="received")) == routes
    assert len(around.xapp.notifications) == told
    assert at_node_and_listed(around, standby) == (held, rests)
    assert set(ids[1:]) <= rests
    assert ids[0] not in rests


def test_stopped_and_alone_it_gets_its_lease_again(around: Neighbourhood, pair: Pair) -> None:
    active, standby = pair.both
    subscribed(around, active)
    standby.kill()
    active.process.send_signal(signal.SIGSTOP)
    gevent.sleep(LEASE + 0.5)
    active.process.send_signal(signal.SIGCONT)
    status, answer = active.post(around.request("gnb_2"))
    assert (status, "renewed" in answer["message"]) == (503, True)
    pair.until_ready(active, 2 * LEASE)
    assert len(at_node_and_listed(around, active)[1]) == 3
    active.subscribe(around.request("gnb_2"))
    eventually(lambda: around.holds("gnb_2"))


def test_an_active_one_that_is_cut_off_from_the_database_is_followed(around: Neighbourhood, redis: RedisServer) -> None:
    with (
        Relay(redis.host, redis.port) as relay,
        Pair(around, {"DBAAS_SERVICE_PORT": str(relay.port)}) as pair,
    ):
        active, standby = pair.both
        subscribed(around, active)
        before = last_event(around)
        relay.cut()
        assert pair.until_ready(standby) < MOST
        assert not active.is_ready()
        assert active.post(around.request("gnb_2"))[0] == 503
        assert len(at_node_and_listed(around, standby)[1]) == 3
        standby.subscribe(around.request("gnb_2"))
        eventually(lambda: around.holds("gnb_2"))
        relay.mend()
        assert active.wait() == LOST_LEASE
        assert sources_since(around, before) <= {source_of(standby)}
        assert standby.is_ready()


def test_a_standby_that_is_cut_off_from_the_database_follows_again(around: Neighbourhood, redis: RedisServer) -> None:
    with (
        Relay(redis.host, redis.port) as relay,
        Pair(around, {}, {"DBAAS_SERVICE_PORT": str(relay.port)}) as pair,
    ):
        active, standby = pair.both
        relay.cut()
        gevent.sleep(LEASE + 1)
        subscribed(around, active)
        standby.log_file.write_text("")
        relay.mend()
        eventually(lambda: standby.logged("the records are followed"))
        assert active.is_ready()
        active.kill()
        assert pair.until_ready(standby) < MOST
        assert len(at_node_and_listed(around, standby)[1]) == 3


def test_whoever_takes_over_or_starts_sends_by_the_last_route_table_and_asks_for_a_fresh_one(
    around: Neighbourhood,
) -> None:
    controls = free_port(), free_port()
    with Peer() as manager:

        def push() -> None:
            eventually(lambda: manager.got, 60.0)
            link = Link.to(controls[0])
            link.send(frame(around.e2term.route_table().encode(), mtype=mtypes.RMRRM_TABLE_DATA))
            eventually(lambda: link.got)

        def asked(daemon: Daemon) -> bool:
            return any(
                message.mtype == mtypes.RMRRM_REQ_TABLE and source_of(daemon).encode() in message.payload
                for message in manager.got
            )

        pushing = gevent.spawn(push)
        routed = {"RMR_SEED_RT": "", "RMR_RTG_SVC": manager.name}
        with Pair(around, *({**routed, "RMR_CTL_PORT": str(control)} for control in controls)) as pair:
            active, standby = pair.both
            pushing.get()
            eventually(lambda: "routeTable" in str(redis_keys(around)))
            assert asked(active)
            assert not asked(standby)
            active.kill()
            assert pair.until_ready(standby) < MOST
            standby.subscribe(around.request("gnb_2"))
            eventually(lambda: around.holds("gnb_2"), MOST)
            eventually(lambda: asked(standby))
            assert sources_since(around, 0) == {source_of(standby)}
            standby.kill()
            standby.start()
            standby.subscribe(around.request("gnb_3"))
            eventually(lambda: around.holds("gnb_3"), MOST)


def redis_keys(around: Neighbourhood) -> bytes:
    assert around.redis is not None
    return around.redis.command("KEYS", "{submgr_stateDb}*")
