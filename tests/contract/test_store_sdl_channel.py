# SPDX-License-Identifier: Apache-2.0
"""Channels and sets of SDL over a real redis that is restarted and hung."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest
from redis import Redis
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

from submgr.platform.store import sdl_channel
from submgr.platform.store.base import InvalidKey, StoreError, StoreTimeout, StoreUnavailable
from submgr.platform.store.sdl_channel import Listener, SdlChannel
from submgr.platform.store.sdl_client import SdlSettings

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]

NS = "e2Manager"
CHANNEL = "RAN_CONNECTION_STATUS_CHANGE"


def quick(environment: dict[str, str]) -> SdlChannel:
    settings = SdlSettings(environment, connect_timeout=0.6, operation_timeout=0.6)
    return SdlChannel(settings, retry_interval=0.05, health_interval=0.1)


@pytest.fixture
def sdl(server: RedisServer) -> Iterator[SdlChannel]:
    sdl = quick(server.environment)
    sdl.start()
    yield sdl
    sdl.stop()


class Log:
    """What a listener told, in order: payloads, and None for each time it had subscribed."""

    def __init__(self, sdl: SdlChannel, channel: str = CHANNEL) -> None:
        self.told: list[bytes | None] = []
        self.listener: Listener = sdl.listen(NS, channel, self.told.append, lambda: self.told.append(None))


def publish(server: RedisServer, payload: bytes, channel: str = CHANNEL) -> None:
    server.command("PUBLISH", f"{{{NS}}},{channel}", payload)


def test_sets_and_values_are_read(server: RedisServer, sdl: SdlChannel) -> None:
    server.command("SADD", "{e2Manager},GNB", b"\x0a\x03abc\xff", b"two")
    server.command("SET", "{e2Manager},RAN:gnb", b"\x00\xff")
    assert sdl.members(NS, "GNB") == {b"\x0a\x03abc\xff", b"two"}
    assert sdl.members(NS, "ENB") == frozenset()
    assert sdl.get(NS, ["RAN:gnb", "RAN:none"]) == {"RAN:gnb": b"\x00\xff"}
    assert sdl.get(NS, []) == {}
    with pytest.raises(TypeError):
        sdl.get(NS, "RAN:gnb")
    with pytest.raises(InvalidKey):
        sdl.members("*", "GNB")


def test_a_value_of_another_kind_is_an_error(server: RedisServer, sdl: SdlChannel) -> None:
    server.command("SET", "{e2Manager},GNB", "text")
    with pytest.raises(StoreError, match="WRONGTYPE"):
        sdl.members(NS, "GNB")


def test_payloads_come_as_they_were_published_and_in_order(server: RedisServer, sdl: SdlChannel) -> None:
    log = Log(sdl)
    eventually(lambda: log.told == [None])
    assert log.listener.subscribed
    payloads = [b"gnb_1_CONNECTED___gnb_2_DISCONNECTED", b"", b"\xff\r\n", *(b"%d" % n for n in range(100))]
    for payload in payloads:
        publish(server, payload)
    publish(server, b"elsewhere", "OTHER")
    eventually(lambda: len(log.told) > len(payloads))
    gevent.sleep(0.25)  # more than two looks at an idle connection
    assert log.told == [None, *payloads]


def test_a_restart_is_told_and_later_messages_arrive(server: RedisServer, sdl: SdlChannel) -> None:
    log = Log(sdl)
    eventually(lambda: log.told == [None])
    for number in range(1, 4):
        server.kill()
        eventually(lambda: not log.listener.subscribed)
        server.start()
        eventually(lambda: log.listener.subscribed)
        publish(server, b"%d" % number)
        eventually(lambda: log.told[-1] is not None)
    assert log.told == [None, None, b"1", None, b"2", None, b"3"]


def test_a_server_that_hangs_is_noticed(server: RedisServer, sdl: SdlChannel) -> None:
    log = Log(sdl)
    eventually(lambda: log.told == [None])
    server.suspend()
    eventually(lambda: not log.listener.subscribed)
    with pytest.raises((StoreTimeout, StoreUnavailable)):
        sdl.members(NS, "GNB")
    server.resume()
    eventually(lambda: log.listener.subscribed)
    publish(server, b"after")
    eventually(lambda: b"after" in log.told)
    assert log.told == [None, None, b"after"]


def test_down_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    server = RedisServer()
    sdl = quick(server.environment)
    sdl.start()
    log = Log(sdl)
    try:
        with pytest.raises(StoreUnavailable):
            sdl.get(NS, {"k"})
        gevent.sleep(0.2)
        assert log.told == []
        # once, not with each try
        assert caplog.text.count("no messages of {e2Manager},RAN_CONNECTION_STATUS_CHANGE") == 1
        with server:
            eventually(lambda: log.told == [None])
    finally:
        sdl.stop()


def test_a_bug_in_a_handler_does_not_end_the_subscription(
    server: RedisServer, sdl: SdlChannel, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[bytes] = []

    def handle(payload: bytes) -> None:
        told.append(payload)
        raise ValueError(payload)

    listener = sdl.listen(NS, CHANNEL, handle, lambda: None)
    eventually(lambda: listener.subscribed)
    for number in range(3):
        publish(server, b"%d" % number)
    eventually(lambda: len(told) == 3)
    assert told == [b"0", b"1", b"2"]
    assert caplog.text.count("could not be handled") == 3


def test_stopping_ends_the_subscriptions(server: RedisServer, sdl: SdlChannel) -> None:
    logs = [Log(sdl), Log(sdl, "OTHER")]
    eventually(lambda: all(log.told for log in logs))
    logs[0].listener.stop()
    publish(server, b"x")
    publish(server, b"y", "OTHER")
    eventually(lambda: b"y" in logs[1].told)
    assert logs[0].told == [None]
    sdl.stop()
    eventually(lambda: server.command("PUBSUB", "CHANNELS") == b"*0\r\n")
    with pytest.raises(StoreUnavailable):
        sdl.get(NS, {"k"})


def test_subscriptions_leave_connections_for_reads(sdl: SdlChannel) -> None:
    logs = [Log(sdl, f"{number}") for number in range(7)]
    with pytest.raises(StoreError, match="7 subscriptions"):
        Log(sdl, "7")
    eventually(lambda: all(log.told for log in logs))
    assert sdl.members(NS, "GNB") == frozenset()
    logs[0].listener.stop()
    another = Log(sdl, "7")
    eventually(lambda: another.told == [None])


def test_who_comes_too_late_for_a_flood_subscribes_anew(
    server: RedisServer, sdl: SdlChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdl_channel, "_LATEST", 0.05)
    log = Log(sdl)
    eventually(lambda: log.told == [None])
    with Redis(server.host, server.port) as redis:
        while log.told.count(None) < 3:
            pipeline = redis.pipeline(transaction=False)
            for _ in range(3000):
                pipeline.publish(f"{{{NS}}},{CHANNEL}", b"x" * 100)
            pipeline.execute()
            gevent.sleep(0.001)

    def heard() -> bool:
        publish(server, b"after the flood")
        gevent.sleep(0.02)
        return b"after the flood" in log.told

    eventually(heard)
