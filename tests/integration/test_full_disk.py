# SPDX-License-Identifier: Apache-2.0
"""The whole daemon with its records in a file, on a disk that is full for a while."""

from __future__ import annotations

from pathlib import Path

from support.processes.daemon import Daemon, Neighbourhood, detail
from support.store.small_disk import small_disk
from support.waiting import eventually

from submgr.platform.http.errors import HttpError

NO_ROOM = "make room on its disk"


def why_not_ready(daemon: Daemon) -> str:
    status, answer = daemon.platform("GET", "health/ready")
    return "" if status == 200 else str(answer)


def test_what_was_answered_on_a_full_disk_holds_when_there_is_room(tmp_path: Path) -> None:
    sdl = {"backend": "sqlite", "path": str(tmp_path / "submgr.db")}
    with small_disk(tmp_path) as disk, Neighbourhood() as around, Daemon(around, sdl=sdl) as daemon:
        names = [daemon.subscribe(around.request("gnb_1", detail(number, trigger=[number]))) for number in range(1, 21)]
        eventually(lambda: len(around.holds()) == 20)
        disk.fill()
        large = around.request("gnb_1", detail(100, trigger=[7] * 20_000))
        eventually(lambda: daemon.post(large)[0] == 503, what="a disk so full that nothing is written")
        eventually(lambda: NO_ROOM in why_not_ready(daemon))
        assert daemon.platform("GET", "health/alive")[0] == 200
        assert [daemon.xapp("DELETE", f"/{name}")[0] for name in names] == [204] * 20
        disk.make_room()
        eventually(lambda: not why_not_ready(daemon))
        for name in daemon.rests().keys() - set(names):
            daemon.unsubscribe(name)
        eventually(lambda: not daemon.rests() and around.empty(), 15.0)
        daemon.kill()
        daemon.start()
        assert daemon.rests() == {}, "what was answered 204 is in the file by now"


def test_a_start_on_a_full_disk_waits_alive_and_not_ready(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, Neighbourhood() as around:
        disk.fill()
        daemon = Daemon(around, sdl={"backend": "sqlite", "path": str(tmp_path / "submgr.db")})
        daemon.start(wait=False)
        try:
            eventually(lambda: answers(daemon))
            assert NO_ROOM in why_not_ready(daemon)
            disk.make_room()
            eventually(lambda: not why_not_ready(daemon))
            daemon.subscribe(around.request("gnb_1", detail(1)))
        finally:
            daemon.stop()
            daemon.close()


def answers(daemon: Daemon) -> bool:
    try:
        return daemon.platform("GET", "health/alive")[0] == 200
    except HttpError:
        return False
