# SPDX-License-Identifier: Apache-2.0
"""Three replicas of a MEC behind a round robin, as processes on one redis; some of them are killed."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import pytest
from support.mec.trio import OTHERS, Trio
from support.processes.children import START
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import at_work, eventually

pytestmark = pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)

OSLO = {"name": "oslo", "type": "noop", "endpointApps": "http://oslo/"}
USER = '{"users": [{"imsi": 1010000000001, "subscriptionData": {"subscribedApps": [12345]}}]}'


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def trio(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trio]:
    directory: Path = tmp_path_factory.mktemp("trio")
    (directory / "data.json").write_text(USER)
    with Trio(redis, directory, dataFile=str(directory / "data.json")) as made:
        yield made


def imsi(number: int) -> str:
    return f"00101{number:010d}"


def moved(trio: Trio, ue: int, mec: int, app: int | None = 1) -> int:
    subject = f"imsi={imsi(ue)}&mecId={mec}" + (f"&appId={app}" if app is not None else "")
    return trio.ask("GET", f"/ams/app/notification/?{subject}")[0]


def fetch(trio: Trio, ue: int, app: int = 1) -> tuple[int, Any]:
    return trio.ask("GET", f"/ams/fetch/state/?imsi={imsi(ue)}&appId={app}")


def test_what_one_was_told_all_of_them_know_at_once(trio: Trio) -> None:
    for round_ in range(30):
        mec = OTHERS[round_ % 2]
        assert moved(trio, 1, mec) == 200
        status, body = fetch(trio, 1)
        assert (status, body["state"]["mec"]) == (200, mec)
        assert fetch(trio, 1) == (status, body)
        assert trio.ask("GET", "/manager/user/data/?imsi=1010000000001")[0] == 200
    assert min(trio.front.served.values()) > 20


def test_a_notification_without_an_application_holds_for_all_of_them(trio: Trio) -> None:
    assert [moved(trio, 2, 7, app) for app in (1, 2, 3)] == [200] * 3
    assert moved(trio, 2, 9, None) == 200
    assert [fetch(trio, 2, app)[1]["state"]["mec"] for app in (1, 2, 3, 4)] == [9] * 4


def test_all_who_want_a_state_at_the_same_time_share_one_fetch(trio: Trio) -> None:
    assert moved(trio, 3, 9) == 200
    trio.slow, before = 0.4, len(trio.fetched())
    asking = [gevent.spawn(fetch, trio, 3) for _ in range(12)]
    gevent.joinall(asking)
    trio.slow = 0.0
    assert [each.value[0] for each in asking] == [200] * 12
    assert len(trio.fetched()) == before + 1


def test_registrations_are_those_of_all_replicas(trio: Trio) -> None:
    path = trio.subscribe(appInstanceId="none")
    for _ in range(3):
        assert trio.ask("GET", path)[0] == 200
        listed = trio.ask("GET", "/amsi/v1/subscriptions")[1]["_links"]["subscription"]
        assert [each["href"].endswith(path) for each in listed].count(True) == 1
    assert trio.ask("DELETE", path)[0] == 204
    assert [trio.ask("GET", path)[0] for _ in range(3)] == [404] * 3


def test_each_event_is_told_once(trio: Trio) -> None:
    path = trio.subscribe(appInstanceId="4")
    before = len(trio.subscriber.requests)
    moving = [gevent.spawn(moved, trio, ue, OTHERS[n % 2], 4) for n in range(4) for ue in range(40, 50)]
    gevent.joinall(moving)
    assert {each.value for each in moving} == {200}
    eventually(lambda: len(trio.subscriber.requests) >= before + 40)
    assert trio.ask("DELETE", path)[0] == 204
    counted = Counter({ue: len(trio.told(imsi(ue))) for ue in range(40, 50)})
    assert counted == dict.fromkeys(range(40, 50), 4)


def test_the_orchestrator_is_one_whomever_one_asks(trio: Trio) -> None:
    assert trio.insist("POST", "/meo/v1/platforms", OSLO)[0] == 201
    assert [trio.ask("GET", "/meo/v1/platforms/oslo")[1]["name"] for _ in range(6)] == ["oslo"] * 6
    assert trio.ask("GET", "/meo/v1/platforms/bergen")[0] == 404
    assert {trio.ask("POST", "/meo/v1/platforms/oslo/load", {"value": 0.5})[0] for _ in range(3)} == {204}
    assert trio.ask("POST", "/meo/v1/platforms/oslo/load", {"value": 2})[0] == 400
    assert [trio.ask("GET", "/health/ready")[0] for _ in range(3)] == [200] * 3


def test_a_database_that_hangs_costs_errors_and_nothing_else(trio: Trio, redis: RedisServer) -> None:
    assert moved(trio, 9, 7) == 200
    trio.insist("POST", "/meo/v1/platforms", OSLO)
    oslo = trio.insist("GET", "/meo/v1/platforms/oslo")
    redis.suspend()
    try:
        answers = [fetch(trio, 9)[0], moved(trio, 9, 9), trio.ask("GET", "/manager/user/data/?imsi=1010000000001")[0]]
        answers += [trio.ask("GET", "/amsi/v1/subscriptions")[0]]
    finally:
        redis.resume()
    assert answers == [500, 500, 503, 503]
    assert trio.insist("GET", f"/ams/fetch/state/?imsi={imsi(9)}&appId=1")[1]["state"]["mec"] in (7, 9)
    eventually(lambda: moved(trio, 9, 9) == 200)
    assert trio.insist("GET", f"/ams/fetch/state/?imsi={imsi(9)}&appId=1")[1]["state"]["mec"] == 9
    assert trio.insist("GET", "/meo/v1/platforms/oslo")[1]["name"] == oslo[1]["name"]


def test_a_rolling_update_tells_nothing_twice(trio: Trio) -> None:
    path = trio.subscribe(appInstanceId="5")
    over = False
    sure: Counter[int] = Counter()
    unsure: Counter[int] = Counter()

    def lives(ue: int) -> None:
        while not over:
            status = moved(trio, ue, 7, 5)
            (sure if status == 200 else unsure)[ue] += 1
            gevent.sleep(0.02)

    with at_work(*(partial(lives, ue) for ue in range(500, 504))) as living:
        stopped = trio.until_active()
        assert stopped.stop() == 0
        following = trio.until_active()
        assert following is not stopped
        over = True
        gevent.joinall(living, raise_error=True)
    eventually(lambda: all(len(trio.told(imsi(ue))) >= sure[ue] for ue in sure))
    assert trio.insist("DELETE", path)[0] == 204
    for ue, times in sure.items():
        assert times <= len(trio.told(imsi(ue))) <= times + unsure[ue]
    stopped.spawn()


def test_an_active_one_that_was_frozen_for_too_long_ends(trio: Trio) -> None:
    trio.revive()
    frozen = trio.until_active()
    frozen.process.send_signal(signal.SIGSTOP)
    eventually(lambda: trio.active(but=frozen), START)
    frozen.process.send_signal(signal.SIGCONT)
    assert frozen.wait() == 3
    assert trio.insist("GET", "/meo/v1/platforms")[0] == 200
    frozen.spawn()


def test_nothing_is_lost_when_replicas_are_killed(trio: Trio) -> None:
    """UEs move about and fetch their states, contexts come, while replicas are killed and come back."""
    trio.revive()
    draw = random.Random(5)
    trio.insist("POST", "/meo/v1/platforms", OSLO)
    trio.insist("POST", "/meo/v1/platforms/oslo/key", {"value": 0.9})
    trio.insist("POST", "/meo/v1/platforms/oslo/load", {"value": 0.1})
    info = {"appDId": "id", "appName": "game", "appProvider": "a", "appSoftVersion": "1", "appDVersion": "1"}
    trio.insist("POST", "/meo/v1/apps", {"appInfo": info, "platforms": [{"type": "noop", "deployInfo": {}}]})
    path = trio.subscribe(appInstanceId="6")
    sure: Counter[int] = Counter()
    wrong: list[object] = []
    contexts: set[str] = set()
    over = False

    def lives(ue: int) -> None:
        mine = random.Random(ue)
        while not over:
            mec = mine.choice(OTHERS)
            if moved(trio, ue, mec, 6) != 200:
                continue  # nobody knows whether it was stored
            sure[ue] += 1
            status, body = trio.insist("GET", f"/ams/fetch/state/?imsi={imsi(ue)}&appId=6")
            if status != 200 or body["state"]["mec"] != mec:
                wrong.append((ue, mec, status, body))
            gevent.sleep(mine.random() / 10)

    def contexts_come() -> None:
        while not over:
            wish = {"associateDevAppId": "phone", "callbackReference": "http://127.0.0.1:9/", "appInfo": {
                "appName": "game", "appProvider": "a", "appDVersion": "1"}}  # fmt: skip
            status, made = trio.ask("POST", "/dev_app/v1/app_contexts", wish)
            trio.ask("POST", "/meo/v1/platforms/oslo/load", {"value": 0.1})
            trio.ask("POST", "/meo/v1/platforms/oslo/key", {"value": 0.9})
            if status == 201:
                contexts.add(made["contextId"])
            gevent.sleep(0.05)

    with at_work(*(partial(lives, ue) for ue in range(600, 606)), contexts_come) as living:
        for _ in range(2):
            gevent.sleep(draw.random())
            for victim in (trio.until_active(), draw.choice(trio.managers)):
                if victim.process is not None:
                    victim.kill()
            known = len(contexts)
            eventually(lambda known=known: len(contexts) > known, START)  # type: ignore[misc]
            for program in trio.managers:
                if program.process is None:
                    program.start()  # as Kubernetes would
        over = True
        gevent.joinall(living, raise_error=True)
    assert not wrong
    assert min(sure.values()) > 3
    told: dict[int, int] = {}

    def all_told() -> bool:
        told.update({ue: len(trio.told(imsi(ue))) for ue in sure})
        return all(told[ue] >= sure[ue] for ue in sure)

    eventually(all_told, what=lambda: (told, sure))
    listed = trio.insist("GET", "/meo/v1/contexts")[1]
    assert contexts <= {each["contextId"] for each in listed}
    assert trio.insist("DELETE", path)[0] in (204, 404)
