# SPDX-License-Identifier: Apache-2.0
"""The MEC services as a part of the daemon."""

from __future__ import annotations

from support.ports import free_port
from support.processes.daemon import Daemon, Neighbourhood
from support.waiting import eventually

from submgr.platform.http.errors import HttpError


def answered(daemon: Daemon, port: int, path: str) -> int:
    try:
        return daemon.call(port, "GET", path)[0]
    except HttpError:
        return 0


def test_mounted_when_the_configuration_has_them() -> None:
    port = free_port()
    with Neighbourhood() as around, Daemon(around, mec={"enabled": True, "host": f"127.0.0.1:{port}"}) as daemon:
        eventually(lambda: answered(daemon, port, "/manager/user/data/?imsi=1010000000001") == 404)
        assert daemon.call(port, "GET", "/ams/fetch/state/?appId=1&imsi=12345") == (404, {"found": False})
        assert daemon.call(port, "GET", "/dev_app/v1/app_list")[0] == 200
        assert daemon.call(port, "GET", "/meo/v1/platforms") == (200, [])
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        assert "mec_users" in str(daemon.platform("GET", "metrics")[1])


def test_a_changed_limit_of_the_orchestrator_holds_without_a_restart() -> None:
    port = free_port()
    mec = {"enabled": True, "host": f"127.0.0.1:{port}"}
    with Neighbourhood() as around, Daemon(around, mec=mec, meo={"maxLoad": 0.8}) as daemon:
        assert eventually(lambda: answered(daemon, port, "/meo/v1/platforms") == 200)
        platform = {"name": "oslo", "type": "noop", "endpointApps": "http://oslo/"}
        assert daemon.call(port, "POST", "/meo/v1/platforms", platform)[0] == 201
        assert daemon.call(port, "POST", "/meo/v1/platforms/oslo/load", {"value": 0.7})[0] == 204
        assert daemon.call(port, "POST", "/meo/v1/platforms/oslo/key", {"value": 0.9})[0] == 204
        assert daemon.call(port, "GET", "/meo/v1/platforms/oslo")[1]["eligible"] is True

        daemon.configure(meo={"maxLoad": 7})
        assert eventually(lambda: "submgr_config_reload_refused 1" in str(daemon.platform("GET", "metrics")[1]))
        assert daemon.call(port, "GET", "/meo/v1/platforms/oslo")[1]["eligible"] is True

        daemon.configure(meo={"maxLoad": 0.5})
        assert eventually(lambda: daemon.call(port, "GET", "/meo/v1/platforms/oslo")[1]["eligible"] is False)
        assert daemon.call(port, "GET", "/meo/v1/platforms/oslo")[1]["reasons"] == ["load 0.7 is over 0.5"]


def test_a_mistake_in_their_section_is_one_clear_line() -> None:
    with Neighbourhood() as around:
        lines = Daemon(around, mec={"enabled": True, "network": "abroad"}).refusal()
        assert len(lines) == 1
        assert "network" in lines[0]
