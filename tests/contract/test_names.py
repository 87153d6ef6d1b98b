# SPDX-License-Identifier: Apache-2.0
"""Look-ups by c-ares, as the system's files and a real name server say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
from gevent import socket
from support.name_server import NameServer
from support.ports import free_port
from support.processes.children import spawn
from support.waiting import eventually

from submgr.platform.ares import AresChannels
from submgr.platform.names import Names, neighbours, strangers

ROOT = Path(__file__).parents[2]

# A mount namespace of its own has /etc/resolv.conf and /etc/hosts of its own.
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
LOOK = """
mount --bind resolv.conf /etc/resolv.conf && mount --bind hosts /etc/hosts && exec "$0" -c '
import json, sys
from submgr.platform.names import strangers
look = lambda name: sorted(address[0] for _, address in strangers.resolve(name, 80, 5.0))
found = {name: look(name) for name in sys.argv[1:]}
open("hosts", "w").write("10.8.8.8 only-in-the-file")
open("resolv.conf", "a").write("search elsewhere.example")
print(json.dumps([found, look("only-in-the-file"), look("moved")]))
' "$@"
"""


def can_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer(xapp_ricxapp_svc_cluster_local="10.1.2.3", plain_example="10.4.5.6") as server:
        server.addresses["xapp.ricxapp.svc.cluster.local"].append("fd00::5")
        yield server


@pytest.fixture
def names(server: NameServer) -> Names:
    return Names(AresChannels(servers=["127.0.0.1"], udp_port=str(server.port)).look_up, at_once=256, failures=2.0)


def hosts(names: Names, name: str, timeout: float = 5.0) -> list[str]:
    return sorted(address[0] for _, address in names.resolve(name, 80, timeout))


def test_both_kinds_of_addresses(names: Names) -> None:
    assert hosts(names, "XAPP.ricxapp.svc.cluster.local.") == ["10.1.2.3", "fd00::5"]


@pytest.mark.parametrize("name", ["my_xapp.example", "-x-.example", "1xapp.example", "a" * 63 + ".example"])
def test_names_as_compose_files_and_charts_have_them(names: Names, server: NameServer, name: str) -> None:
    server.addresses[name] = ["10.5.5.5"]
    assert hosts(names, f"{name}.") == ["10.5.5.5"]


@pytest.mark.skipif(not can_unshare(), reason="unshare is missing or not allowed")
def test_what_the_system_files_say_holds_and_so_do_their_changes(server: NameServer, tmp_path: Path) -> None:
    server.addresses["moved.elsewhere.example"] = ["10.6.6.6"]
    server.addresses["far.away.example"] = ["10.7.7.7"]
    server.broken = {"far.away.example.corp.example"}
    search = "ricxapp.svc.cluster.local svc.cluster.local corp.example"
    (tmp_path / "resolv.conf").write_text(f"nameserver 127.0.0.1:{server.port}\nsearch {search}\noptions ndots:5\n")
    (tmp_path / "hosts").write_text("10.9.9.9 only-in-the-file\n::1 localhost\n127.0.0.1 localhost\n")
    expected = {
        "xapp": ["10.1.2.3", "fd00::5"],
        "xapp.ricxapp": ["10.1.2.3", "fd00::5"],
        "plain.example": ["10.4.5.6"],
        "far.away.example": ["10.7.7.7"],
        "only-in-the-file": ["10.9.9.9"],
        "localhost": ["127.0.0.1", "::1"],
    }
    with spawn(
        [*UNSHARE, "sh", "-c", LOOK, sys.executable, *expected],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    ) as looking:  # fmt: skip
        eventually(lambda: looking.poll() is not None)
        assert looking.stdout is not None
        assert json.loads(looking.stdout.read()) == [expected, ["10.8.8.8"], ["10.6.6.6"]]


def test_a_name_that_nobody_knows_is_told_at_once(names: Names) -> None:
    with pytest.raises(socket.gaierror) as raised:
        names.resolve("nobody", 80, 5.0)
    assert raised.value.errno == socket.EAI_NONAME
    assert names.resolves("nobody", 5.0) is False


def test_a_name_without_addresses_does_not_resolve(names: Names, server: NameServer) -> None:
    server.addresses["other.example"] = []
    assert names.resolves("other.example", 5.0) is False


def test_a_name_server_that_fails_says_nothing_of_the_name(names: Names, server: NameServer) -> None:
    server.broken = {"there.example"}
    with pytest.raises(OSError, match="SERVFAIL"):
        names.resolves("there.example", 5.0)
    server.broken = set()


def test_without_a_name_server_nothing_is_said_of_the_name() -> None:
    port = str(free_port())
    names = Names(AresChannels(servers=["127.0.0.1"], udp_port=port, tcp_port=port).look_up, at_once=1)
    with pytest.raises(OSError, match=r"ARES_E"):
        names.resolves("there.example", 10.0)


@pytest.mark.parametrize(
    "name", ["", "a b", "a..b", "a" * 70, "a." * 200, "ü.example", "1234", "0x7f.1", "[::1]", "\0"]
)
def test_nonsense_is_refused(names: Names, name: str) -> None:
    with pytest.raises((OSError, ValueError)):
        names.resolve(name, 80, 5.0)


@pytest.mark.parametrize("names", [strangers, neighbours], ids=["strangers", "neighbours"])
def test_localhost_is_in_the_hosts_file(names: Names) -> None:
    assert "127.0.0.1" in hosts(names, "localhost")


def test_what_changes_at_the_name_server_holds_for_the_next_look_up(names: Names, server: NameServer) -> None:
    assert hosts(names, "plain.example.") == ["10.4.5.6"]
    server.addresses["plain.example"] = ["10.7.7.7"]
    assert hosts(names, "plain.example.") == ["10.7.7.7"]


def test_many_names_that_hang_delay_no_good_one_and_each_is_asked_for_once(names: Names, server: NameServer) -> None:
    hanging = [gevent.spawn(names.resolves, f"hang{number}.", 10.0) for number in range(100) for _ in range(3)]
    eventually(lambda: len(server.asked) == 100)
    begin = time.monotonic()
    assert hosts(names, "plain.example.") == ["10.4.5.6"]
    assert time.monotonic() - begin < 0.5
    with pytest.raises(TimeoutError):
        names.resolve("hang0.", 80, 0.05)
    gevent.joinall(hanging)
    assert all(isinstance(one.exception, OSError) for one in hanging)
    assert time.monotonic() - begin < 8.0, "a silent name server is given up"
    assert max(server.asked.values()) <= 4, "both kinds of addresses, in two tries"


def test_no_channel_stays_open(names: Names) -> None:
    names.resolve("plain.example", 80, 5.0)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        assert names.resolves(f"nobody{number}.", 5.0) is False
    eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_other_greenlets_go_on_while_many_names_are_begun(names: Names, longest_gap: Callable[[], float]) -> None:
    begin = time.process_time()
    asking = [gevent.spawn(names.resolves, f"nobody{number}.", 10.0) for number in range(500)]
    gevent.joinall(asking, raise_error=True)
    assert longest_gap() < (time.process_time() - begin) / 4
