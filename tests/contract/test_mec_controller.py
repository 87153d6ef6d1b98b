# SPDX-License-Identifier: Apache-2.0
"""The controller on real sockets: S1AP in, identities out, among peers that fail, hang and send garbage."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import socket
from prometheus_client import CollectorRegistry, generate_latest
from support.http.peer import OK, HttpPeer, Request, answer
from support.mec import s1ap_pdus
from support.mec.calls import detach
from support.ports import free_port
from support.waiting import eventually

from mec.controller.identity_push import PushSettings
from mec.controller.listener import Limits, Stream
from mec.controller.metrics import register_metrics
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.nas_messages import default_bearer, protected
from mec.controller.recordings.pdus import Place
from mec.controller.recordings.replay import Replayer
from mec.controller.service import Controller, ControllerSettings
from submgr.platform.health import Health
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.memory import MemoryStore
from submgr.platform.turns import turn

IMSI = "001010000000001"
CALL = Call(5, 100, IMSI, ["192.168.3.2"])
SOON = RetryPolicy(tries=200, delay=0.01, backoff=1.5, max_delay=0.05)
FAILED = answer("500 Internal Server Error")


class Site:
    """A controller with what it talks to."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.store.start()
        self.peers: list[HttpPeer] = []
        self.controllers: list[Controller] = []
        self.replayers: list[Replayer] = []
        self.registry = CollectorRegistry()
        self.health = Health()

    def peer(self, answers: Callable[[Request], Any] | None = None) -> HttpPeer:
        self.peers.append(HttpPeer(answers))
        return self.peers[-1]

    def controller(self, *idps: str, lengths: bool = False, limits: Limits | None = None, **push: Any) -> Controller:
        settings = PushSettings(idps=idps, **{"manager": f"http://127.0.0.1:{free_port()}", **push})
        self.registry, self.health = CollectorRegistry(), Health()
        all_settings = ControllerSettings("home", "127.0.0.1:0", settings, lengths, limits=limits or Limits())
        controller = Controller(all_settings, self.store, self.registry, self.health, SOON)
        register_metrics(controller, self.registry)
        controller.start()
        self.controllers.append(controller)
        return controller

    def play(self, controller: Controller, *pdus: bytes, lengths: bool = False) -> Replayer:
        """PDUs over one connection, which stays open."""
        replayer = Replayer(*controller.address, lengths)
        self.replayers.append(replayer)
        for each in pdus:
            replayer.send("", each)
        return replayer

    def stop(self) -> None:
        for replayer in self.replayers:
            replayer.close()
        for controller in self.controllers:
            controller.stop()
        for peer in self.peers:
            peer.stop()
        self.store.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.stop()


def url(peer: HttpPeer) -> str:
    return f"http://127.0.0.1:{peer.port}"


def told(peer: HttpPeer) -> list[str]:
    return [f"{each.json['event']} {each.json['imsi']} {each.json['remote_ip']}" for each in peer.requests]


def test_identity_provider_is_told_all_there_is(site: Site) -> None:
    idp = site.peer()
    replayer = site.play(site.controller(url(idp), token="secret"), *set_up(), *attach(CALL))
    (request,) = idp.until(1)
    assert (request.method, request.path) == ("POST", "/oidc/store")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.json == {
        "enb_ue_s1ap_id": 5,
        "imsi": IMSI,
        "remote_ip": "192.168.3.2",
        "mme_ue_s1ap_id": 100,
        "ecgi": {"mcc": "001", "mnc": "01", "cellId": 0xA10},
        "tai": {"mcc": "001", "mnc": "01", "tac": 1},
        "event": "attached",
    }
    replayer.finish()


def test_the_token_for_identity_providers_may_be_in_a_file_that_changes(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    idp = site.peer()
    replayer = site.play(site.controller(url(idp), token_file=str(file)), *set_up(), *attach(CALL))
    idp.until(1)
    file.write_text("second")
    for pdu in detach(CALL):
        replayer.send("", pdu)
    told_of = idp.until(2)
    assert [each.headers["authorization"] for each in told_of[:2]] == ["Bearer first", "Bearer second"]
    replayer.finish()


def test_order_of_a_ue_is_kept_however_often_its_deliveries_fail(site: Site) -> None:
    tries: dict[bytes, int] = {}

    def fail_twice(request: Request) -> bytes:
        tries[request.body] = tries.get(request.body, 0) + 1
        return FAILED if tries[request.body] < 3 else OK

    idp = site.peer(fail_twice)
    controller = site.controller(url(idp))
    switch = s1ap_pdus.path_switch(100, 9, Place(cell=7))
    site.play(controller, *attach(CALL), switch, *detach(Call(9, 100, IMSI, [])))
    idp.until(9)
    assert [each.json["event"] for each in idp.requests] == ["attached"] * 3 + ["moved"] * 3 + ["detached"] * 3


def test_dead_identity_provider_delays_no_other(site: Site) -> None:
    idp = site.peer()
    controller = site.controller(f"http://127.0.0.1:{free_port()}", url(idp))
    for number in range(20):
        site.play(controller, *attach(Call(number, number, f"00101{number + 1:010d}", [f"10.0.0.{number}"])))
    assert len(idp.until(20)) == 20
    # the provider has the request before the controller has the answer, which ends the delivery
    eventually(lambda: controller.push.counts["delivered"] == 20)
    assert controller.push.waiting == 20


def test_identity_provider_that_comes_back_gets_everything_in_order(site: Site) -> None:
    down = True
    idp = site.peer(lambda request: FAILED if down else OK)
    controller = site.controller(url(idp))
    site.play(controller, *attach(CALL), *detach(CALL))
    idp.until(3)
    down = False
    idp.requests.clear()
    idp.until(2)
    eventually(lambda: not controller.push.waiting)
    assert told(idp)[-2:] == [f"attached {IMSI} 192.168.3.2", f"detached {IMSI} 192.168.3.2"]


def test_of_too_many_deliveries_the_newest_win(site: Site) -> None:
    down = True
    idp = site.peer(lambda request: FAILED if down else OK)
    controller = site.controller(url(idp), places=5)
    calls = [Call(number, number, f"00101{number + 1:010d}", [f"10.0.0.{number}"]) for number in range(12)]
    replayer = site.play(controller)
    for call in calls:
        for each in attach(call):
            replayer.send("", each)
    eventually(lambda: len(controller.identities.ues) == 12)
    eventually(lambda: controller.push.counts["dropped"] == 7)
    assert controller.push.waiting == 5
    down = False
    eventually(lambda: not controller.push.waiting)
    delivered = {each.json["imsi"] for each in idp.requests[-5:]}
    assert delivered == {call.imsi for call in calls[-5:]}


def test_restart_tells_the_latest_of_what_was_not_told(site: Site) -> None:
    down = True
    idp = site.peer(lambda request: FAILED if down else OK)
    first = site.controller(url(idp))
    site.play(first, *attach(CALL), *attach(Call(6, 101, "001010000000002", ["10.0.0.2"], b"\x02" * 10)))
    site.play(first, *detach(CALL))
    eventually(lambda: first.push.waiting >= 2)
    idp.until(2)
    first.stop()
    down = False
    idp.requests.clear()
    second = site.controller(url(idp))
    idp.until(2)
    eventually(lambda: not second.push.waiting and not site.store.stats().waiting)
    assert "attached 001010000000002 10.0.0.2" in told(idp)
    assert len({each.json["imsi"] for each in idp.requests}) == 2
    second.stop()
    idp.requests.clear()
    third = site.controller(url(idp))
    assert third.push.waiting == 0 and not idp.requests


def test_restart_tells_the_latest_of_each_address(site: Site) -> None:
    down = True
    idp = site.peer(lambda request: FAILED if down else OK)
    first = site.controller(url(idp))
    more = protected(default_bearer(["10.2.0.1"], 6), 2)
    replayer = site.play(first, *set_up(), *attach(CALL), s1ap_pdus.bearer_setup(100, 5, {6: more}))
    replayer.send("", s1ap_pdus.bearer_release(100, 5, [6]))
    eventually(lambda: first.push.waiting == 3 and not site.store.stats().waiting)
    first.stop()
    down = False
    idp.requests.clear()
    second = site.controller(url(idp))
    eventually(lambda: len(idp.requests) == 2 and not second.push.waiting)
    after = [(request.json["event"], request.json["remote_ip"]) for request in idp.requests]
    assert after == [("attached", "192.168.3.2"), ("released", "10.2.0.1")]


def test_what_was_told_is_not_told_again_after_a_restart(site: Site) -> None:
    idp = site.peer()
    first = site.controller(url(idp))
    site.play(first, *attach(CALL))
    idp.until(1)
    eventually(lambda: not first.push.waiting and not site.store.stats().waiting)
    first.stop()
    second = site.controller(url(idp))
    assert second.push.waiting == 0
    assert second.identities.ues.find(IMSI) is not None


def test_guti_is_known_after_a_restart(site: Site) -> None:
    first = site.controller()
    site.play(first, *attach(CALL), *detach(CALL)).finish()
    first.stop()
    idp = site.peer()
    second = site.controller(url(idp))
    site.play(second, *attach(Call(8, 300, IMSI, ["10.7.7.7"]), CALL.guti))
    idp.until(1)
    assert told(idp) == [f"attached {IMSI} 10.7.7.7"]


def test_user_data_go_with_the_identity(site: Site) -> None:
    data = {"mainData": {"subscribedApps": [12345]}, "additional": "1" * 100_000}
    manager = site.peer(lambda request: answer("200 OK", json.dumps(data).encode()))
    idps = [site.peer(), site.peer()]
    site.play(site.controller(*map(url, idps), manager=url(manager), user_data=True), *attach(CALL))
    for idp in idps:
        assert idp.until(1)[0].json["subscriptionData"] == data
    assert [each.path for each in manager.requests] == [f"/manager/user/data/?imsi={IMSI}"]


@pytest.mark.parametrize("reply", [FAILED, answer("200 OK", b"<html>"), answer("404 Not Found", b"{}"), None])
def test_identity_goes_without_user_data_when_there_are_none(site: Site, reply: bytes | None) -> None:
    manager, idp = site.peer(lambda request: reply), site.peer()
    site.play(site.controller(url(idp), manager=url(manager), user_data=True), *attach(CALL))
    assert "subscriptionData" not in idp.until(1)[0].json


def test_user_data_that_come_late_are_sent_by_a_later_event(site: Site) -> None:
    away = True
    data = {"mainData": {"subscribedApps": [12345]}}
    manager = site.peer(lambda request: None if away else answer("200 OK", json.dumps(data).encode()))
    idp = site.peer()
    controller = site.controller(url(idp), manager=url(manager), user_data=True)
    other = Call(6, 101, "001010000000002", ["10.0.0.2"], b"\x02" * 10)
    site.play(controller, *attach(CALL), *attach(other), *detach(other))
    idp.until(3)
    away = False
    late = idp.until(4)[3].json
    assert (late["event"], late["imsi"], late["subscriptionData"]) == ("attached", IMSI, data)
    eventually(lambda: not controller.push.waiting)
    assert len(idp.requests) == 4


def test_manager_that_hangs_holds_identities_up_only_once(site: Site) -> None:
    manager, idp = site.peer(lambda request: gevent.sleep(60)), site.peer()
    controller = site.controller(url(idp), manager=url(manager), user_data=True)
    site.play(controller, *attach(CALL))
    idp.until(1)
    for number in range(1, 30):
        site.play(controller, *attach(Call(number, number, f"00101{number + 1:010d}", [f"10.0.0.{number}"])))
    idp.until(30)
    assert len(manager.requests) < 10


def test_state_is_prefetched_beside(site: Site) -> None:
    manager, idp = site.peer(), site.peer()
    controller = site.controller(url(idp), manager=url(manager), state=True)
    site.play(
        controller, *attach(Call(5, 100, "310150123456789", ["10.0.0.1"])), s1ap_pdus.path_switch(100, 9, Place())
    )
    idp.until(2)
    manager.until(2)
    assert [(each.method, each.path, each.json) for each in manager.requests] == [
        ("POST", "/ams/prefetch/state", {"imsi": 310150123456789})
    ] * 2
    site.play(controller, *attach(CALL))
    assert manager.until(3)[2].json == {"imsi": IMSI}


def test_failing_prefetch_changes_nothing(site: Site) -> None:
    manager, idp = site.peer(lambda request: FAILED), site.peer()
    site.play(site.controller(url(idp), manager=url(manager), state=True), *attach(CALL), *detach(CALL))
    idp.until(2)
    assert [each.json["event"] for each in idp.requests] == ["attached", "detached"]


def test_many_connections_with_pdus_in_pieces(site: Site) -> None:
    idp = site.peer()
    controller = site.controller(url(idp))

    def mirror(number: int) -> None:
        stream = b"".join([*set_up(), *attach(Call(5, number, f"00101{number + 1:010d}", [f"10.0.1.{number}"]))])
        with socket.create_connection(controller.address) as sock:
            for at in range(0, len(stream), 7 + number):
                sock.sendall(stream[at : at + 7 + number])
                turn()
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)

    gevent.joinall([gevent.spawn(mirror, number) for number in range(40)], raise_error=True)
    assert len({request.json["imsi"] for request in idp.until(40)}) == 40
    happened = {what: number for what, number in controller.listener.counts.items() if number}
    assert happened == {"opened": 40, "closed": 40}


def test_lengths_before_the_pdus(site: Site) -> None:
    idp = site.peer()
    site.play(site.controller(url(idp), lengths=True), *set_up(), *attach(CALL), lengths=True)
    idp.until(1)
    assert told(idp) == [f"attached {IMSI} 192.168.3.2"]


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 10, b"\x00\x0c\x40\xc4" + bytes(70_000)]
)
def test_what_is_not_s1ap_ends_its_own_connection_only(site: Site, garbage: bytes) -> None:
    idp = site.peer()
    controller = site.controller(url(idp))
    good = site.play(controller, *attach(CALL)[:3])
    with socket.create_connection(controller.address) as bad:
        bad.settimeout(5)
        try:
            bad.sendall(garbage)
            assert bad.recv(1) == b""
        except ConnectionError:
            pass
    for each in attach(CALL)[3:]:
        good.send("", each)
    idp.until(1)
    assert controller.listener.counts["impossible"] == 1


def test_undecodable_pdu_is_skipped_by_its_own_length_and_counted(site: Site) -> None:
    idp = site.peer()
    controller = site.controller(url(idp))
    broken = b"\x00\x0c\x40\x10" + b"\xff" * 16
    site.play(controller, broken, *attach(CALL)[:4], broken, *attach(CALL)[4:])
    idp.until(1)
    assert controller.identities.ues.counts["undecodable"] == 2


def test_stream_that_ends_in_a_pdu_is_counted(site: Site) -> None:
    controller = site.controller()
    replayer = site.play(controller, attach(CALL)[0][:20])
    replayer.finish()
    assert controller.listener.counts["cut"] == 1


def test_end_of_the_connection_makes_idle(site: Site) -> None:
    controller = site.controller()
    site.play(controller, *attach(CALL)).finish()
    ue = controller.identities.ues.find(IMSI)
    assert ue is not None and (ue.state, ue.addresses) == ("idle", ["192.168.3.2"])


def _connect(controller: Controller, source: str = "127.0.0.1") -> socket.socket:
    sock = socket.create_connection(controller.address, source_address=(source, 0))
    sock.settimeout(10)
    return sock


def _closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def _serves(site: Site, controller: Controller) -> None:
    """Another mirror brings a UE."""
    site.play(controller, *attach(CALL))
    eventually(lambda: controller.identities.ues.find(IMSI), what="another mirror brings a UE")


def test_silent_connection_is_closed_after_the_limit(site: Site) -> None:
    controller = site.controller(limits=Limits(idle=0.2))
    with _connect(controller) as silent:
        assert _closed(silent)
    assert controller.listener.counts["idle"] == 1
    eventually(lambda: len(controller.listener) == 0)


def test_pdu_that_does_not_come_to_its_end(site: Site) -> None:
    controller = site.controller(limits=Limits(unfinished=0.2))
    with _connect(controller) as quiet, _connect(controller) as dripping:
        dripping.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def drip() -> None:
            with pytest.raises(OSError):
                for octet in attach(CALL)[0] * 1000:
                    dripping.sendall(bytes([octet]))
                    gevent.sleep(0.05)

        dropping = gevent.spawn(drip)
        assert _closed(dripping)
        dropping.join(timeout=5)
        for each in attach(CALL):
            quiet.sendall(each)
        eventually(lambda: controller.identities.ues.find(IMSI), what="who was only silent goes on")
    assert controller.listener.counts["slow"] == 1


def test_too_many_connections_cost_the_one_silent_for_longest(site: Site) -> None:
    controller = site.controller(limits=Limits(connections=3))
    with _connect(controller) as proven, _connect(controller) as silent, _connect(controller) as third:
        eventually(lambda: len(controller.listener) == 3)
        proven.sendall(set_up()[0])
        eventually(lambda: controller.identities.pdus)
        _serves(site, controller)
        assert _closed(silent)
        third.sendall(set_up()[0])
        proven.sendall(set_up()[0])
        eventually(lambda: sum(controller.identities.pdus.values()) == 3 + len(attach(CALL)))
    assert controller.listener.counts["made room"] == 1


def test_address_with_most_connections_loses_one(site: Site) -> None:
    controller = site.controller(limits=Limits(connections=4))
    with _connect(controller, "127.0.0.2") as quiet:
        crowd = [_connect(controller) for _ in range(20)]
        eventually(lambda: controller.listener.counts["opened"] == 21)
        eventually(lambda: len(controller.listener) == 4)
        for each in attach(CALL):
            quiet.sendall(each)
        eventually(lambda: controller.identities.ues.find(IMSI), what="the quiet one is still there")
        for each in crowd:
            each.close()


def test_unfinished_pdus_are_bounded_together(site: Site) -> None:
    controller = site.controller(lengths=True, limits=Limits(unfinished_bytes=1_000_000))
    begun = (900_000).to_bytes(4, "big") + bytes(400_000)
    links = []
    for _ in range(5):
        links.append(_connect(controller))
        links[-1].sendall(begun)
        eventually(lambda: len(controller.listener) and max(each.framer.pending for each in _streams(controller)))
        turn()
    assert _closed(links[0])
    eventually(lambda: len(controller.listener) == 2)
    assert sum(each.framer.pending for each in _streams(controller)) <= 1_000_000
    for link in links:
        link.close()
    eventually(lambda: len(controller.listener) == 0)
    assert controller.listener._unfinished == 0


def _streams(controller: Controller) -> list[Stream]:
    return list(controller.listener._streams)


def test_floods_leave_another_mirror_its_turn(site: Site) -> None:
    controller = site.controller()
    flood = b"".join(set_up()) * 500

    def blow(sock: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock.sendall(flood)

    socks = [_connect(controller) for _ in range(20)]
    blowing = [gevent.spawn(blow, sock) for sock in socks]
    eventually(lambda: sum(controller.identities.pdus.values()) > 5000)
    _serves(site, controller)
    gevent.killall(blowing)
    for sock in socks:
        sock.close()


def test_frame_too_short_for_a_pdu_and_octets_behind_one(site: Site) -> None:
    controller = site.controller(lengths=True)
    with _connect(controller) as sock:
        for size in range(4):
            sock.sendall(size.to_bytes(4, "big") + bytes(size))
        for each in attach(CALL):
            sock.sendall((len(each) + 3).to_bytes(4, "big") + each + bytes(3))
        eventually(lambda: controller.identities.ues.find(IMSI))
    eventually(lambda: controller.listener.counts["skipped octets"] == 3 * len(attach(CALL)))
    assert controller.listener.counts["short frames"] == 4
    assert controller.listener.counts["impossible"] == 0


def test_store_that_is_away_at_the_start(site: Site) -> None:
    first = site.controller()
    site.play(first, *attach(CALL), *detach(CALL)).finish()
    first.stop()
    backend = site.store._backend
    site.store.stop()
    site.store = type(site.store)()
    site.store._backend = backend
    idp = site.peer()
    second = site.controller(url(idp))
    assert site.health.ready().reasons == ["store: what is stored has not been read yet"]
    site.play(second, *attach(Call(7, 200, "001010000000009", ["10.9.9.9"], b"\x09" * 10)))
    assert idp.until(1)[0].json["imsi"] == "001010000000009"
    site.store.start()
    eventually(lambda: site.health.ready().ready)
    site.play(second, *attach(Call(8, 300, IMSI, ["10.7.7.7"]), CALL.guti))
    assert idp.until(2)[1].json["imsi"] == IMSI


def test_no_imsi_in_metrics(site: Site) -> None:
    idp = site.peer()
    controller = site.controller(url(idp))
    site.play(controller, *set_up(), *attach(CALL))
    idp.until(1)
    eventually(lambda: controller.push.counts["delivered"] == 1)
    text = generate_latest(site.registry).decode()
    assert 'mec_controller_pdus_total{procedure="initial_context_setup"} 1.0' in text
    assert 'mec_controller_pushes_total{outcome="delivered"} 1.0' in text
    assert IMSI not in text and "1010000000001" not in text
