# SPDX-License-Identifier: Apache-2.0
"""What an operator does: configure, reload, look, repair, restart."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually

from submgr.platform.http.errors import HttpError

SUBMGR = """
SubReqFromXapp SubRespToXapp SubFailToXapp RestSubReqFromXapp RestSubRespToXapp RestSubFailToXapp RestReqRejDueE2Down
RestSubNotifToXapp RestSubFailNotifToXapp SubReqToE2 SubReReqToE2 SubRespFromE2 PartialSubRespFromE2 SubFailFromE2
SubReqTimerExpiry RouteCreateFail RouteCreateUpdateFail MergedSubscriptions DuplicateE2SubReq SubDelReqFromXapp
SubDelRespToXapp RestSubDelReqFromXapp RestSubDelRespToXapp RestSubDelFailToXapp SubDelReqToE2 SubDelReReqToE2
SubDelRespFromE2 SubDelFailFromE2 SubDelReqTimerExpiry SubDelRequiredFromE2 RouteDeleteFail RouteDeleteUpdateFail
UnmergedSubscriptions SDLWriteFailure SDLReadFailure SDLRemoveFailure E2StateChangedToUp E2StateChangedToDown
E2StateChangedToUnderReset
"""
RMR = """
RMR_Transmitted RMR_TransmitError RMR_TransmitRetry RMR_Received RMR_ReceiveError RMR_SendWithRetryRetry
RMR_Enqueued RMR_Dropped
"""
LEGACY = re.compile(r"\b(SUBMGR|RMR)_")


@pytest.fixture(scope="module")
def around() -> Iterator[Neighbourhood]:
    with Neighbourhood() as around:
        yield around


@contextmanager
def not_started(*arguments: Any, **sections: dict[str, Any]) -> Iterator[Daemon]:
    """A daemon that the block starts; it is ended in any case."""
    with ExitStack() as ends:
        daemon = Daemon(*arguments, **sections)
        ends.push(daemon)
        yield daemon


@pytest.fixture(autouse=True)
def _clean(around: Neighbourhood) -> Iterator[None]:
    yield
    around.reset()


# --- the file


def test_the_file_of_the_go_implementation(around: Neighbourhood) -> None:
    """Its keys, its quoted numbers and truth values, its sections without effect; only ports and hosts are changed."""
    with not_started(around) as daemon:
        daemon.config.write_text(
            f'"local":\n  "host": "127.0.0.1:{daemon.platform_port}"\n'
            '"logger":\n  "level": 3\n'
            f'"rmr":\n  "protPort": "tcp:{daemon.rmr_port}"\n  "maxSize": 65536\n  "numWorkers": 1\n'
            f'"rtmgr":\n  "hostAddr": "127.0.0.1"\n  "port": {around.rtmgr.http.port}\n  "baseUrl": "/ric/v1"\n'
            '"db":\n  "host": "localhost"\n  "port": 6379\n  "sentinelPort": ""\n  "masterName": ""\n'
            '"controls":\n'
            '  "e2tSubReqTimeout_ms": 2000\n  "e2tSubDelReqTime_ms": 2000\n  "e2tRecvMsgTimeout_ms": 2000\n'
            '  "e2tMaxSubReqTryCount": 2\n  "e2tMaxSubDelReqTryCount": 2\n  "checkE2State": "true"\n'
            '  "readSubsFromDb": "true"\n  "dbTryCount": 200\n  "dbRetryForever": "true"\n'
            '  "waitRouteCleanup_ms": 5000\n  "checkE2IEOrder": 1\n'
            f'"subscription":\n  "host": "127.0.0.1:{daemon.xapp_port}"\n'
            f'"sdl":\n  "backend": "sqlite"\n  "path": "{daemon.database}"\n'
        )
        daemon.start()
        controls = daemon.platform("GET", "config")[1]["controls"]
        assert (controls["checkE2State"], controls["dbRetryForever"]) == (True, True)
        assert (controls["e2tSubReqTimeout_ms"], controls["maxOngoingE2Procedures"]) == (2000, 1)
        daemon.unsubscribe(daemon.subscribe(around.request()))
        eventually(lambda: around.empty() and not daemon.rests())


def test_an_unknown_key_is_a_warning_in_an_old_section(around: Neighbourhood) -> None:
    with Daemon(around, controls={"e2tSubReqTimeoutt_ms": 5}, rtmgr={"colour": "red"}) as daemon:
        text = daemon.log_file.read_text()
        assert "e2tSubReqTimeoutt_ms" in text
        assert "did you mean e2tSubReqTimeout_ms" in text
        assert "colour" in text


def test_all_mistakes_at_once_with_what_was_meant(around: Neighbourhood) -> None:
    lines = Daemon(
        around,
        controls={"e2tMaxSubReqTryCount": "many", "checkE2State": "perhaps"},
        debug={"wriet": "open"},
        logger={"level": 9},
    ).refusal()
    assert all(
        any(word in line for line in lines)
        for word in ("e2tMaxSubReqTryCount", "checkE2State", "did you mean write", "level")
    ), lines


def test_a_start_loads_no_demonstrations() -> None:
    """They take longer to load than everything else."""
    loads = "[name for name in sys.modules if name.startswith('mec.') and 'demo' in name]"
    script = f"import sys, submgr.cli.run; print({loads})"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_files_that_cannot_be_used_are_one_clear_line(around: Neighbourhood, tmp_path: Path) -> None:
    """Missing, a directory, not text, not YAML."""
    binary, broken = tmp_path / "binary", tmp_path / "broken"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    broken.write_text("controls: {a: [")
    paths = (tmp_path / "missing.yaml", tmp_path, binary, broken)
    for path in paths:
        daemon = Daemon(around)
        daemon.config = path
        (line,) = daemon.refusal()
        assert path is broken or str(path) in line


def test_a_taken_port_and_a_place_nobody_may_write(around: Neighbourhood) -> None:
    with Daemon(around) as daemon:
        (rmr,) = Daemon(around, rmr={"protPort": f"tcp:{daemon.rmr_port}"}).refusal()
        (platform,) = Daemon(around, local={"host": f"127.0.0.1:{daemon.platform_port}"}).refusal()
    (store,) = Daemon(around, sdl={"backend": "sqlite", "path": "/proc/nowhere/submgr.db"}).refusal()
    assert str(daemon.rmr_port) in rmr
    assert str(daemon.platform_port) in platform
    assert "/proc/nowhere" in store


def test_reload_by_a_symlink_swap(around: Neighbourhood) -> None:
    """As a ConfigMap changes: the file's name and inode stay, a directory's link above it moves."""
    with not_started(around) as daemon:
        settings = yaml.safe_load(daemon.config.read_text())
        versions = [daemon.path / f"version{n}" for n in (1, 2)]
        for n, version in enumerate(versions, 1):
            version.mkdir()
            changed = {**settings, "controls": {**settings["controls"], "e2tMaxSubReqTryCount": n}}
            changed |= {"logger": {"level": 4 if n == 2 else 3}, "rmr": {**settings["rmr"], "maxSize": 65536 * n}}
            (version / "config.yaml").write_text(yaml.safe_dump(changed))
        data = daemon.path / "..data"
        data.symlink_to(versions[0].name)
        daemon.config.unlink()
        daemon.config.symlink_to("..data/config.yaml")
        daemon.start()
        following = daemon.path / "..next"
        following.symlink_to(versions[1].name)
        os.replace(following, data)
        shutil.rmtree(versions[0])

        def shown() -> tuple[int, int, int]:
            config = daemon.platform("GET", "config")[1]
            return config["controls"]["e2tMaxSubReqTryCount"], config["logger"]["level"], config["rmr"]["maxSize"]

        eventually(lambda: shown() == (2, 4, 65536), 30.0, what="controls and level at once, the rest not")
        assert daemon.logged("need a restart")[-1]["settings"] == ["rmr.maxSize"]


# --- health


def test_an_empty_route_table_counts_a_missing_one_does_not(around: Neighbourhood, tmp_path: Path) -> None:
    seed = tmp_path / "seed.rt"
    with not_started(around, {"RMR_SEED_RT": str(seed)}) as daemon:
        daemon.start(wait=False)
        eventually(lambda: health(daemon, "alive") == 200)
        eventually(lambda: len(reasons(daemon)) == 1, what="all else is there")
        assert "route table" in reasons(daemon)[0]
        seed.write_text("newrt|start|empty\nnewrt|end|0\n")
        eventually(daemon.is_ready)
        (warning,) = daemon.platform("GET", "health/ready")[1]["warnings"]
        assert "12010" in warning
        assert "12020" in warning
        assert daemon.metric("submgr_missing_routes") == 1
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        (told,) = around.xapp.instances()
        assert told["TimeoutType"] == "E2-Timeout"
        assert "not sent:" in told["ErrorCause"]


def reasons(daemon: Daemon) -> list[str]:
    """Why it is not ready."""
    answer = daemon.platform("GET", "health/ready")[1]
    return list(answer["reasons"])


def health(daemon: Daemon, name: str) -> int | None:
    try:
        return daemon.platform("GET", f"health/{name}")[0]
    except HttpError:
        return None


# --- what is shown, and what may be changed


def test_queries_of_an_operator(around: Neighbourhood) -> None:
    with Daemon(around) as daemon:
        subscription_id = daemon.subscribe(around.request("gnb_1", detail(5)))
        assert around.xapp.wait(1)
        number = around.xapp.instances()[0]["E2EventInstanceId"]
        shown = daemon.rests()[subscription_id]
        assert (shown["Meid"], shown["InstanceIds"], shown["SubReqOngoing"]) == ("gnb_1", [number], False)
        assert daemon.platform("GET", "subscriptions")[1] == daemon.listed()
        assert list(daemon.platform("GET", "get_e2node_rest_subscriptions/gnb_1")[1]) == [subscription_id]
        assert daemon.platform("GET", "get_e2node_rest_subscriptions/gnb_2")[1] == {}
        assert daemon.platform("GET", "get_all_xapps")[1] == ["127.0.0.1"]
        assert list(daemon.platform("GET", "get_xapp_rest_restsubscriptions/127.0.0.1")[1]) == [subscription_id]
        (record,) = daemon.platform("GET", f"get_e2subscriptions/{subscription_id}")[1]
        assert record["ReqId"] == {"Id": 5, "InstanceId": number}
        assert daemon.platform("GET", "get_e2subscriptions/never")[0] == 404
        assert daemon.platform("DELETE", "delete_all_xapp_subscriptions/never")[0] == 404
        assert daemon.platform("DELETE", "delete_all_xapp_subscriptions/127.0.0.1")[0] == 200
        eventually(lambda: around.empty() and not daemon.rests())
        assert around.e2term.received[12020] == 1


def test_symptom_data(around: Neighbourhood) -> None:
    with Daemon(around, debug={"write": "off", "token": "s3cret-word"}) as daemon:
        subscription_id = daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        url = f"http://127.0.0.1:{daemon.platform_port}/ric/v1/symptomdata"
        answer = daemon.http.request("GET", url)
        assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            assert archive.testzip() is None
            files = {name: archive.read(name) for name in archive.namelist()}
        assert subscription_id in json.loads(files["restsubscriptions.json"])
        assert json.loads(files["config.json"])["debug"]["token"] == "******"
        assert b"\nSUBMGR_SubReqToE2 1\n" in files["metrics.txt"]
        assert b"ready for xApps" in files["log.txt"]
        assert not any(b"s3cret-word" in content for content in files.values())
        for method, path in (("POST", "test/emptydb"), ("POST", "test/restart"), ("POST", "test/deletesubid=1")):
            assert daemon.platform(method, path)[0] == 401
        assert daemon.platform("DELETE", "delete_all_e2node_subscriptions/gnb_1")[0] == 401
        assert daemon.listed()


def test_records_taken_away_by_hand_stay_away(around: Neighbourhood) -> None:
    """The daemon's own knowledge stays until the restart, and nothing is written back meanwhile."""
    with Daemon(around) as daemon:
        daemon.subscribe(around.request("gnb_1", detail(1, [1]), detail(2, [2])))
        assert around.xapp.wait(2)
        first, second = (i["E2EventInstanceId"] for i in around.xapp.instances())
        assert daemon.platform("POST", f"test/deletesubid={first}")[0] == 200
        assert daemon.platform("POST", f"test/deletesubid={first}")[0] == 404
        assert daemon.platform("POST", "test/deletesubid=x")[0] == 400
        daemon.stop()
        assert set(daemon.stored()["submgr_e2SubsDb"]) == {str(second)}
        daemon.start()
        assert [item["SubscriptionId"] for item in daemon.listed()] == [second]
        assert daemon.platform("POST", "test/emptydb")[0] == 200
        daemon.stop()
        assert not any(daemon.stored().values())
        daemon.start()
        assert daemon.listed() == []


def test_metrics_have_the_names_of_the_guide(around: Neighbourhood) -> None:
    with Daemon(around, metrics={"namespace": "ric"}) as daemon:
        text = daemon.platform("GET", "metrics")[1]
        names = {line.split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
        assert {f"ric_SUBMGR_{name}" for name in SUBMGR.split()} <= names
        assert {f"ric_{name}" for name in RMR.split()} <= names
        assert not [name for name in names if "SUBMGR_" in name and (name.endswith("_total") or "{" in name)]
        url = f"http://127.0.0.1:{daemon.platform_port}/metrics"
        assert daemon.http.request("GET", url).status == 200


@pytest.mark.promtool
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH: apt-get install prometheus")
def test_promtool_finds_nothing_in_the_modern_metrics(around: Neighbourhood) -> None:
    with Daemon(around) as daemon:
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        text = daemon.platform("GET", "metrics")[1]
        modern = "".join(line for line in text.splitlines(keepends=True) if not LEGACY.search(line))
        checked = subprocess.run(["promtool", "check", "metrics"], input=modern, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")


# --- removals that outlive the process


def test_a_route_that_could_not_be_removed_is_remembered_over_a_restart(around: Neighbourhood) -> None:
    """Its id is not given out until the route has gone."""
    with Daemon(around) as daemon:
        subscription_id = daemon.subscribe(around.request("gnb_1", detail(1)))
        assert around.xapp.wait(1)
        number = around.xapp.instances()[0]["E2EventInstanceId"]
        around.rtmgr_does(method="DELETE", status=503)
        daemon.unsubscribe(subscription_id)
        eventually(lambda: not daemon.rests() and daemon.metric("submgr_pending_route_removals") == 1)
        daemon.kill()
        assert [record["InstanceId"] for record in daemon.stored()["submgr_removalsDb"].values()] == [number]
        daemon.start()
        daemon.subscribe(around.request("gnb_1", *[detail(n, [n]) for n in range(2, 7)]))
        assert around.xapp.wait(6)
        assert number not in [i["E2EventInstanceId"] for i in around.xapp.instances()[1:]]
        assert number in around.rtmgr.routes
        daemon.kill()
        around.rtmgr.rules.clear()
        daemon.start()
        eventually(lambda: number not in around.rtmgr.routes, 30.0)
        eventually(lambda: daemon.metric("submgr_pending_route_removals") == 0)
        daemon.stop()
        assert daemon.stored()["submgr_removalsDb"] == {}
