# SPDX-License-Identifier: Apache-2.0
"""The MEC services as a part of the daemon."""

from __future__ import annotations

from support.processes.daemon import Daemon, Neighbourhood, eventually, free_port

from submgr.platform.http.errors import HttpError


def answered(daemon: Daemon, port: int, path: str) -> int:
    try:
        return daemon.call(port, "GET", path)[0]
    except HttpError:
        return 0


def test_mounted_when_the_configuration_has_them() -> None:
    port = free_port()
    with Neighbourhood() as around, Daemon(around, mec={"enabled": True, "host": f"127.0.0.1:{port}"}) as daemon:
        assert eventually(lambda: answered(daemon, port, "/manager/user/data/?imsi=1010000000001") == 404)
        assert daemon.call(port, "GET", "/ams/fetch/state/?appId=1&imsi=12345") == (404, {"found": False})
        assert daemon.call(port, "GET", "/dev_app/v1/app_list")[0] == 200
        assert daemon.call(port, "GET", "/meo/v1/platforms") == (200, [])
        daemon.subscribe(around.request())
        assert around.xapp.wait(1)
        assert "mec_users" in str(daemon.platform("GET", "metrics")[1])


def test_a_mistake_in_their_section_is_one_clear_line() -> None:
    with Neighbourhood() as around:
        lines = Daemon(around, mec={"enabled": True, "network": "abroad"}).refusal()
        assert len(lines) == 1
        assert "network" in lines[0]
