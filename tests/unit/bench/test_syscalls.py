# SPDX-License-Identifier: Apache-2.0
"""System calls as strace writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from submgr.bench.children import BenchError
from submgr.bench.syscalls import Call, counted, find_strace

PORTS = {6379: "redis", 8088: "xApp requests"}
TRACE = """\
17 recvfrom(5<TCP:[127.0.0.1:8088->127.0.0.1:54708]>, ""..., 8192, 0, NULL, NULL) = 512
17 sendto(12<TCP:[127.0.0.1:36482->127.0.0.1:6379]>, ""..., 700, 0, NULL, 0) = 700
17 recvfrom(12<TCP:[127.0.0.1:36482->127.0.0.1:6379]>, 0x1f, 65536, 0, NULL, NULL) = -1 EAGAIN (Resource …)
17 epoll_wait(3<anon_inode:[eventpoll]>, [], 64, 0) = 0
17 epoll_wait(3<anon_inode:[eventpoll]>,  <unfinished ...>
18 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>
17 <... epoll_wait resumed>[{events=EPOLLIN, data={u32=12, u64=5}}], 64, 27000) = 1
18 <... futex resumed>) = -1 EAGAIN (Resource temporarily unavailable)
17 recvfrom(12<TCP:[127.0.0.1:36482->127.0.0.1:6379]>, ""..., 65536, 0, NULL, NULL) = 5
17 write(2</tmp/run/submgr.log>, ""..., 220) = 220
17 sendto(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, ""..., 5, 0, NULL, 0) = 5
17 getpid() = 17
18 <... read resumed>""..., 64) = 0
17 --- SIGCHLD {si_signo=SIGCHLD} ---
17 +++ exited with 0 +++
"""


def test_calls_by_name_and_by_what_they_are_about() -> None:
    counts = counted(TRACE.splitlines(), PORTS)
    assert counts.by_name() == {
        "recvfrom": (3, 1),
        "sendto": (2, 0),
        "epoll_wait": (2, 0),
        "futex": (1, 1),
        "write": (1, 0),
        "getpid": (1, 0),
    }
    assert counts.calls[Call("recvfrom", "redis")] == 2 and counts.failed[Call("recvfrom", "redis")] == 1
    assert counts.calls[Call("recvfrom", "xApp requests")] == 1
    assert counts.calls[Call("write", "submgr.log")] == 1
    assert counts.calls[Call("sendto", "another connection")] == 1
    assert counts.calls[Call("epoll_wait", "")] == 2


def test_without_strace_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="apt-get install strace"):
        find_strace()
