# SPDX-License-Identifier: Apache-2.0
"""The RMR layer with its sources of route tables: the route manager on the control port, and the seed file."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import gevent
import pytest
from support.ports import free_port
from support.rmr.frames import frame
from support.rmr.peer import Link, Peer
from support.waiting import eventually

from submgr.rmr import mtypes
from submgr.rmr.environment import RmrEnvironmentError
from submgr.rmr.librmr.binding import load_library
from submgr.rmr.message import CALL_MSG, Message, Status
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.service import Rmr, RmrSettings, build
from submgr.rmr.transport import TransportConfig, TransportError

ME = "127.0.0.1"


class Run:
    """A running layer, its control port and what it received."""

    def __init__(self, **env: str) -> None:
        self.got: list[Message] = []
        self.port, self.control = free_port(), free_port()
        env = {"RMR_RTG_SVC": str(self.control), "RMR_SRC_ID": ME, "RMR_BIND_IF": ME} | env
        env = {name: value.replace("CONTROL", str(self.control)) for name, value in env.items()}
        limits = TransportConfig(send_timeout=0.5)
        self.rmr: Rmr = build(RmrSettings(proto_port=f"tcp:{self.port}", limits=limits), env, self.got.append)
        self.rmr.start()


@pytest.fixture
def run() -> Iterator[Callable[..., Run]]:
    started: list[Run] = []

    def make(**env: str) -> Run:
        started.append(Run(**env))
        return started[-1]

    yield make
    for one in started:
        one.rmr.stop(timeout=0)


class Manager:
    """A route manager: pushes tables and collects the states."""

    def __init__(self, control: int) -> None:
        self.link = Link.to(control)

    def push(self, text: str, **header: bytes | int) -> None:
        self.link.send(frame(text.encode(), mtype=mtypes.RMRRM_TABLE_DATA, **header))  # type: ignore[arg-type]

    def states(self, count: int) -> list[str]:
        eventually(lambda: len(self.link.got) >= count, what=f"{count} states")
        gevent.sleep(0.02)
        assert {(message.mtype, message.sub_id) for message in self.link.got} == {(mtypes.RMRRM_TABLE_STATE, -1)}
        return [message.payload.decode() for message in self.link.got]


@pytest.fixture
def manager() -> Iterator[Callable[[Run], Manager]]:
    made: list[Manager] = []

    def make(one: Run) -> Manager:
        made.append(Manager(one.control))
        return made[-1]

    yield make
    for one in made:
        one.link.close()


def test_a_pushed_table_is_applied_and_acknowledged(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    assert not one.rmr.ready()
    assert one.rmr.trouble == "no complete route table yet"
    pushing = manager(one)
    with Peer() as peer:
        pushing.push(f"newrt|start|t1\nrte|1|{peer.name}\n")
        pushing.push("newrt|end|1\n")
        assert pushing.states(1) == ["OK t1 \n\0"]
        assert one.rmr.ready()
        assert one.rmr.trouble == ""
        assert one.rmr.send(Message(1)) is Status.OK
        eventually(lambda: peer.got)


def test_the_state_answers_a_call(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    with Peer() as listening:
        pushing = manager(one)
        call = {"xid": b"call", "d1": b"\x09abc", "flags": CALL_MSG, "sub_id": 5}
        pushing.push("newrt|start\nnewrt|end\n", src=listening.name.encode(), **call)  # type: ignore[arg-type]
        (state,) = eventually(lambda: pushing.link.got)
        assert listening.links == [], "the answer takes the manager's own connection"
    assert (state.mtype, state.payload, state.sub_id) == (mtypes.RMRRM_TABLE_STATE, b"OK <id-missing> \n\0", -1)
    assert (state.transaction, state.d1, state.flags) == (b"call", b"\x09abc", 0)
    assert state.src == f"{ME}:{one.control}"


def test_a_fault_of_the_frame_refuses_a_table_with_line_and_reason_and_the_old_one_stays(
    run: Callable[..., Run], manager: Callable[[Run], Manager]
) -> None:
    one = run()
    pushing = manager(one)
    pushing.push("newrt|start|good\nrte|1|a:1\nnewrt|end|1\n")
    pushing.push("newrt|start|count\nrte|1|b:1\nnewrt|end|2\n")
    pushing.push("newrt|start|frame\nrte|1|b:1\nmeid_map|end|2\n")
    pushing.push("newrt|start|open\n")
    pushing.push("updatert|start|update\ndel|1|-1\nupdatert|end|1\n")
    assert pushing.states(5) == [
        "OK good \n\0",
        "ERR count line 3: missing table records: expected 2 got 1\n\0",
        "ERR frame line 3: meid_map|end in a table begun by newrt|start\n\0",
        "ERR open line 2: table not complete\n\0",
        "OK update \n\0",
    ]
    table = one.rmr.routes()
    assert table is not None
    assert dict(table.routes) == {}


def test_a_record_that_cannot_be_read_is_skipped_and_logged_with_its_line_once_a_table(
    run: Callable[..., Run], manager: Callable[[Run], Manager], caplog: pytest.LogCaptureFixture
) -> None:
    one = run()
    pushing = manager(one)
    for _ in range(3):
        pushing.push("newrt|start|t\nrte|1|a:1\nmse||-1|e:1\nmse|,x:1|-1|e:1\nmse|2|-1|host,b:1\nnewrt|end|4\n")
    pushing.push("meid_map|start|m\nmme_ar|nobody|g1\nmme_ar|e:1|g2\nmeid_map|end|2\n")
    assert pushing.states(4) == ["OK t \n\0"] * 3 + ["OK m \n\0"]
    table = one.rmr.routes()
    assert table is not None
    assert (sorted(table.routes), dict(table.meids)) == ([(-1, 1), (-1, 2)], {"g2": "e:1"})
    assert one.rmr.skipped_routes().count == 3
    lines = [record.getMessage() for record in caplog.records if "skipped" in record.getMessage()]
    assert len(lines) == 2
    assert "2 route records skipped: line 3: message type ''" in lines[0]
    assert "line 5: target left out: 'host' has no port" in lines[0]
    assert "1 route record skipped: line 2: 'nobody' has no port" in lines[1]


def test_other_messages_on_the_control_port_have_no_answer(
    run: Callable[..., Run], manager: Callable[[Run], Manager], caplog: pytest.LogCaptureFixture
) -> None:
    one = run()
    pushing = manager(one)
    pushing.link.send(frame(b"?", mtype=mtypes.RIC_SUB_REQ))
    pushing.push("newrt|start|t\nnewrt|end\n")
    assert pushing.states(1) == ["OK t \n\0"]
    assert "RIC_SUB_REQ on the control port ignored" in caplog.text
    assert one.got == []


def test_garbage_on_the_control_port_is_survived(
    run: Callable[..., Run], manager: Callable[[Run], Manager], caplog: pytest.LogCaptureFixture
) -> None:
    one = run()
    bad = manager(one)
    bad.push("\xff\0|||\n|\nnewrt\n\0\0")
    bad.link.send(bytes(100))
    eventually(lambda: bad.link.closed)
    pushing = manager(one)
    pushing.push("newrt|start|t\nnewrt|end\n")
    assert pushing.states(1) == ["OK t \n\0"]
    closed = [record for record in caplog.records if "connection closed" in record.getMessage()]
    assert [(vars(record)["peer"], record.getMessage()) for record in closed] == [
        (ME, "frame length 0, the smallest frame has 330 bytes; connection closed")
    ]


def test_the_manager_is_asked_until_the_first_table(run: Callable[..., Run]) -> None:
    with Peer() as listening:
        one = run(RMR_RTG_SVC=listening.name, RMR_CTL_PORT="CONTROL", RMR_RTREQ_FREQ="1")
        eventually(lambda: len(listening.got) >= 2)
        for asked in listening.got:
            assert (asked.mtype, asked.sub_id, asked.src) == (mtypes.RMRRM_REQ_TABLE, 0, f"{ME}:{one.control}")
            assert re.fullmatch(rf"{ME}:{one.port} ts=\d+\n\0", asked.payload.decode())
        meids = b"meid_map|start|m\nmeid_map|end\n"
        listening.links[0].send(frame(meids, mtype=mtypes.RMRRM_TABLE_DATA))
        asked_before = len(listening.got)
        eventually(lambda: len(listening.got) >= asked_before + 2, what="the answer, and a further question")
        listening.links[0].send(frame(b"newrt|start|t\nnewrt|end\n", mtype=mtypes.RMRRM_TABLE_DATA))
        eventually(lambda: not one.rmr.awaits_routes())
        asked_before = len([message for message in listening.got if message.mtype == mtypes.RMRRM_REQ_TABLE])
        gevent.sleep(1.2)
        states = [message.payload for message in listening.got if message.mtype == mtypes.RMRRM_TABLE_STATE]
        assert states == [b"OK m \n\0", b"OK t \n\0"]
        assert len(listening.got) - len(states) == asked_before


def test_the_manager_is_asked_although_updates_keep_coming(
    run: Callable[..., Run], manager: Callable[[Run], Manager]
) -> None:
    with Peer() as listening:
        one = run(RMR_RTG_SVC=listening.name, RMR_CTL_PORT="CONTROL", RMR_RTREQ_FREQ="1")
        pushing = manager(one)

        def keep_updating() -> None:
            while True:
                pushing.push("updatert|start|u\nrte|1|a:1\nupdatert|end|1\n")
                gevent.sleep(0.2)

        updating = gevent.spawn(keep_updating)
        eventually(lambda: len(listening.got) >= 3, what="questions")
        updating.kill()
    assert {message.mtype for message in listening.got} == {mtypes.RMRRM_REQ_TABLE}


def test_a_table_that_is_on_its_way_is_not_asked_for_again(
    run: Callable[..., Run], manager: Callable[[Run], Manager]
) -> None:
    with Peer() as listening:
        one = run(RMR_RTG_SVC=listening.name, RMR_CTL_PORT="CONTROL", RMR_RTREQ_FREQ="1")
        eventually(lambda: listening.got)
        pushing = manager(one)
        pushing.push("newrt|start|t\n")
        for _ in range(10):
            pushing.push("rte|1|a:1\n")
            gevent.sleep(0.2)
        assert len(listening.got) <= 2, "one may have been on its way"


def test_sender_filter_and_own_addresses(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    pushing = manager(one)
    me = f"{ME}:{one.port}"
    pushing.push(f"newrt|start\nrte|1,{me}|a:1\nrte|2,other:1|a:1\nrte|3|{me},a:1\nrte|4|{me}\nnewrt|end|4\n")
    pushing.states(1)
    table = one.rmr.routes()
    assert table is not None
    groups = {mtype: route.groups for (_, mtype), route in table.routes.items()}
    assert groups == {1: (("a:1",),), 3: (("a:1",),), 4: ()}
    assert one.rmr.send(Message(4)) is Status.NOENDPT


def test_an_update_to_the_seed_is_kept_until_a_full_table_comes(
    run: Callable[..., Run], manager: Callable[[Run], Manager], tmp_path: Path
) -> None:
    seed = tmp_path / "seed.rt"
    seed.write_text("newrt|start|seed\nrte|1|a:1\nnewrt|end|1\nmeid_map|start\nmme_ar|e:1|gnb\nmeid_map|end|1\n")
    one = run(RMR_SEED_RT=str(seed))
    assert one.rmr.ready()
    pushing = manager(one)
    updating = manager(one)
    updating.push("updatert|start|u\nrte|2|a:1\nupdatert|end|1\n")
    eventually(lambda: len(updating.link.got) == 2, what="the answer, and the question for a full table")
    state, asked = sorted(updating.link.got, key=lambda message: -message.mtype)
    assert (state.mtype, state.payload) == (mtypes.RMRRM_TABLE_STATE, b"OK u \n\0")
    assert (asked.mtype, asked.sub_id, asked.src) == (mtypes.RMRRM_REQ_TABLE, 0, f"{ME}:{one.control}")
    assert asked.payload.decode().startswith(f"{ME}:{one.port} ts=")
    assert (asked.transaction, asked.d1[:1]) == (b"", b"\0")
    before = one.rmr.routes()
    assert before is not None
    assert (before.name, one.rmr.awaits_routes()) == ("seed", True)
    pushing.push("newrt|start|n\nrte|3|a:1\nnewrt|end|1\n")
    pushing.push("updatert|start|u2\nrte|4|a:1\nupdatert|end|1\n")
    assert pushing.states(2) == ["OK n \n\0", "OK u2 \n\0"]
    assert not one.rmr.awaits_routes()
    table = one.rmr.routes()
    assert table is not None
    assert sorted(table.routes) == [(-1, 2), (-1, 3), (-1, 4)]
    assert dict(table.meids) == {"gnb": "e:1"}
    stash = tmp_path / "seed.rt.stash"
    eventually(lambda: stash.exists() and "mse|4|-1|a:1" in stash.read_text())
    assert parse_routes(stash.read_text()) == table
    eventually(lambda: not (tmp_path / "seed.rt.stash.inc").exists())


def test_a_stash_that_cannot_be_written_is_one_line(
    run: Callable[..., Run],
    manager: Callable[[Run], Manager],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    one = run(RMR_STASH_RT=str(tmp_path / "nowhere" / "stash"))
    pushing = manager(one)
    for name in ("a", "b", "c"):
        pushing.push(f"newrt|start|{name}\nnewrt|end|0\n")
    pushing.states(3)
    eventually(lambda: "route table not saved" in caplog.text)
    gevent.sleep(0.1)
    assert caplog.text.count("route table not saved") == 1
    assert "Traceback" not in capfd.readouterr().err


def test_a_stash_that_cannot_be_written_is_told_once_in_one_line(
    run: Callable[..., Run],
    manager: Callable[[Run], Manager],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "seed.rt.stash.inc").mkdir()
    seed = tmp_path / "seed.rt"
    seed.write_text("newrt|start|seed\nrte|1|a:1\nnewrt|end|1\n")
    one = run(RMR_SEED_RT=str(seed))
    pushing = manager(one)
    for number in range(2, 6):
        pushing.push(f"newrt|start|n\nrte|{number}|a:1\nnewrt|end|1\n")
    assert pushing.states(4) == ["OK n \n\0"] * 4
    table = one.rmr.routes()
    assert table is not None
    assert sorted(table.routes) == [(-1, 5)]
    lines = [record.getMessage() for record in caplog.records if "route table not saved" in record.getMessage()]
    assert len(lines) == 1
    assert str(tmp_path) in lines[0]
    assert "Traceback" not in capfd.readouterr().err


def test_an_empty_seed_table_counts(run: Callable[..., Run], tmp_path: Path) -> None:
    seed = tmp_path / "seed.rt"
    seed.write_text("newrt|start\nnewrt|end\n")
    assert run(RMR_SEED_RT=str(seed)).rmr.ready()


def test_the_seed_file_alone_is_read_again_until_it_is_good(
    run: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    seed = tmp_path / "seed.rt"
    one = run(RMR_SEED_RT=str(seed), RMR_RTG_SVC="-1")
    assert "No such file" in one.rmr.trouble
    seed.write_text("newrt|start\nrte|1|a:1\nnewrt|end|2\n")
    eventually(lambda: "line 3: missing table records" in one.rmr.trouble)
    assert not one.rmr.ready()
    seed.write_text("newrt|start\nrte|1|a:1\nnewrt|end\n")
    eventually(one.rmr.ready)
    assert caplog.text.count("line 3: missing table records") == 1
    assert "Traceback" not in capfd.readouterr().err


def test_a_bad_line_of_the_seed_file_does_not_keep_it_unready(
    run: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seed = tmp_path / "seed.rt"
    seed.write_text("hello\nnewrt|start\nrte|x|a:1\nrte|1|a:1\nnewrt|end|2\n")
    one = run(RMR_SEED_RT=str(seed), RMR_RTG_SVC="-1")
    assert one.rmr.ready()
    table = one.rmr.routes()
    assert table is not None
    assert list(table.routes) == [(-1, 1)]
    assert "2 route records skipped: line 1: 'hello' is no record: 'hello'; line 3: message type 'x'" in caplog.text


def test_the_control_port_in_use_is_named_and_nothing_stays_open(run: Callable[..., Run]) -> None:
    one = run()
    other = free_port()
    env = {"RMR_RTG_SVC": str(one.control), "RMR_BIND_IF": ME}
    layer = build(RmrSettings(proto_port=str(other)), env, one.got.append)
    with pytest.raises(TransportError, match=f"{one.control}: the port is in use"):
        layer.start()
    again = build(RmrSettings(proto_port=str(other)), {"RMR_RTG_SVC": "-1", "RMR_BIND_IF": ME}, one.got.append)
    again.start()
    again.stop()


def test_srcip_and_name(run: Callable[..., Run]) -> None:
    one = run(RMR_SRC_ID="localhost:1234", RMR_SRC_NAMEONLY="1")
    with Peer() as peer:
        one.rmr.send_to(peer.name, Message(1))
        eventually(lambda: peer.got)
        assert peer.got[0].src == f"localhost:{one.port}" == one.rmr.name


def test_settings_that_mean_nothing() -> None:
    with pytest.raises(RmrEnvironmentError, match="RMR_BIND_IF='nothing'"):
        build(RmrSettings(), {"RMR_BIND_IF": "nothing"}, print)
    with pytest.raises(RmrEnvironmentError, match="transport='nng'"):
        build(RmrSettings(transport="nng"), {}, print)


def test_loopback_interface_by_name(run: Callable[..., Run]) -> None:
    one = run(RMR_BIND_IF="lo")
    Link.to(one.port).close()


def test_verbosity_sets_the_level_of_the_log(run: Callable[..., Run]) -> None:
    logger = logging.getLogger("submgr.rmr")
    try:
        run(RMR_LOG_VLEVEL="1")
        assert logger.level == logging.CRITICAL
    finally:
        logger.setLevel(logging.NOTSET)


def test_librmr_where_it_is_missing() -> None:
    settings = RmrSettings(transport="librmr", proto_port=str(free_port()))
    layer = build(settings, {"RMR_BIND_IF": ME}, print, load_librmr=partial(load_library, "librmr_si.so.of-nobody"))
    with pytest.raises(TransportError) as refused:
        layer.start()
    assert "librmr_si.so" in str(refused.value)
    assert "transport wire" in str(refused.value)


def stalls(until: Callable[[], bool]) -> list[float]:
    """Runs till `until`, and gives the seconds of this thread's work between two turns of the event loop."""
    found = []
    while not until():
        begun = time.thread_time()
        gevent.sleep(0.0005)
        found.append(time.thread_time() - begun)
    return found


def test_a_large_table_leaves_others_their_turn(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    me = f"{ME}:{one.port}"
    records = [
        f"mse|{mtype},{sender}|{sub_id}|service-ricxapp-a{sub_id % 50}-rmr.ricxapp:4560"
        for sub_id in range(20_000)
        for mtype, sender in [(12011, me), (12012, me), (12050, "e2t:38000"), (12041, "e2t:38000")]
    ]
    text = "\n".join(["newrt|start|large", *records, f"newrt|end|{len(records)}"])
    assert len(text) > 4 << 20
    pushing = manager(one)
    pushing_it = gevent.spawn(pushing.push, text)
    found = stalls(lambda: bool(pushing.link.got))
    pushing_it.get()
    assert pushing.states(1) == ["OK large \n\0"]
    assert len(found) >= 20
    assert max(found) < 0.05, "a slice is 5 ms; the rest is for the sender in this thread and a busy machine"
    table = one.rmr.routes()
    assert table is not None
    assert (len(table.routes), table.for_others) == (40_000, 40_000)
    assert not pushing.link.closed


def test_a_line_of_a_large_table_costs_little(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    pushing = manager(one)
    records = "".join(f"mse|12050|{number}|a{number % 50}:4560\n" for number in range(60_000))
    pushing.push(f"newrt|start|large\n{records}newrt|end|60000\n")
    pushing.states(1)
    one.rmr._stash = None
    begun = time.thread_time()
    pushing.push("updatert|start|u\nmse|12050|7|b:1\nupdatert|end|1\n")
    pushing.states(2)
    assert time.thread_time() - begun < 0.1
    table = one.rmr.routes()
    assert table is not None
    assert (len(table.routes), table.routes[7, 12050].groups) == (60_000, (("b:1",),))


def test_a_frame_above_the_limit_closes_its_connection(
    run: Callable[..., Run], manager: Callable[[Run], Manager], caplog: pytest.LogCaptureFixture
) -> None:
    one = run()
    pushing = manager(one)
    pushing.link.send(frame(b"newrt|start|t\n", mtype=20, total=(129 << 20)))
    eventually(lambda: pushing.link.closed)
    assert "is above the maximum" in caplog.text


def test_the_data_port_keeps_its_small_bound(run: Callable[..., Run]) -> None:
    one = run()
    link = Link.to(one.port)
    link.send(frame(b"x", total=(2 << 20)))
    eventually(lambda: link.closed)
    link.close()


def test_tables_of_several_connections_do_not_mix(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    first, second = manager(one), manager(one)
    first.push("newrt|start|a\nrte|1|a:1\n")
    second.push("newrt|start|b\nrte|2|b:1\n")
    first.push("newrt|end|1\n")
    assert first.states(1) == ["OK a \n\0"]
    second.push("newrt|end|1\n")
    assert second.states(1) == ["OK b \n\0"]
    table = one.rmr.routes()
    assert table is not None
    assert list(table.routes) == [(-1, 2)]


def test_unfinished_tables_of_many_connections_are_not_all_kept(
    run: Callable[..., Run], manager: Callable[[Run], Manager], caplog: pytest.LogCaptureFixture
) -> None:
    one = run()
    pushing = []
    for name in "abcdef":
        pushing.append(manager(one))
        pushing[-1].push(f"newrt|start|{name}\nmeid_map|start|{name}{name}\n")
        pushing[-1].states(1)
    for each in pushing:
        each.push("meid_map|end\n")
    assert [each.states(2)[1].split()[0] for each in pushing] == ["ERR", "ERR", "OK", "OK", "OK", "OK"]
    assert "did not go on was given up" in caplog.text


def test_the_bound_holds_for_connections_that_were_there_before_and_spares_who_goes_on(
    run: Callable[..., Run], manager: Callable[[Run], Manager]
) -> None:
    one = run()
    pushing = [manager(one) for _ in range(6)]
    for each in pushing:  # nobody has begun a table yet
        each.push("newrt|start|none\nnewrt|end|0\n")
        assert each.states(1) == ["OK none \n\0"]
    for number, each in enumerate(pushing):
        each.push(f"newrt|start|{number}\nmeid_map|start|{number}\n")
        each.states(2)
        if number:
            pushing[0].push("\n# the first one goes on\n")
            gevent.sleep(0.02)
    for each in pushing:
        each.push("meid_map|end\n")
    states = [each.states(3)[2].split()[0] for each in pushing]
    assert states.count("OK") == 4
    assert states[0] == "OK"


def test_listeners_hear_of_every_table(run: Callable[..., Run], manager: Callable[[Run], Manager]) -> None:
    one = run()
    heard: list[bool] = []
    request = Message(12010, sub_id=5, meid="gnb")
    one.rmr.on_routes(lambda: heard.append(one.rmr.leads(request)))
    assert (one.rmr.awaits_routes(), one.rmr.leads(request)) == (True, False)
    pushing = manager(one)
    pushing.push("newrt|start|t\nrte|12010|%meid\nnewrt|end|1\nmeid_map|start\nmme_ar|e:1|gnb\nmeid_map|end|1\n")
    pushing.states(2)
    assert heard == [False, True]
    assert not one.rmr.awaits_routes()


def test_variables_that_mean_nothing_are_named_in_the_log_and_do_not_end_the_start(
    run: Callable[..., Run], caplog: pytest.LogCaptureFixture
) -> None:
    nonsense = {"RMR_RTREQ_FREQ": "5s", "RMR_LOG_VLEVEL": "all", "RMR_SRC_NAMEONLY": "yes", "RMR_CTL_PORT": "9" * 5000}
    one = run(**nonsense)
    told = [record.message for record in caplog.records if "expected" in record.message]
    assert [words.partition("=")[0] for words in told] == [
        "RMR_CTL_PORT",
        "RMR_LOG_VLEVEL",
        "RMR_RTREQ_FREQ",
        "RMR_SRC_NAMEONLY",
    ]
    with Peer() as peer:
        one.rmr.send_to(peer.name, Message(1))
        eventually(lambda: peer.got)


def test_a_table_of_an_earlier_run_counts_until_the_manager_sends_one(
    run: Callable[..., Run], manager: Callable[[Run], Manager]
) -> None:
    one = run()
    pushed: list[str] = []
    one.rmr.on_pushed(lambda table: pushed.append(table.name))
    earlier = "newrt|start|earlier\nmse|12010|-1|%meid\nnewrt|end|1\nmeid_map|start|m\nmme_ar|e:1|g\nmeid_map|end|1\n"
    one.rmr.go_on_with(parse_routes(earlier))
    assert one.rmr.leads(Message(12010, meid="g"))
    assert one.rmr.awaits_routes()
    pushing = manager(one)
    pushing.push("newrt|start|new\nmse|12020|-1|%meid\nnewrt|end|1\n")
    assert pushing.states(1) == ["OK new \n\0"]
    assert (one.rmr.leads(Message(12010, meid="g")), one.rmr.leads(Message(12020, meid="g"))) == (False, True)
    one.rmr.go_on_with(parse_routes(earlier))
    assert not one.rmr.leads(Message(12010, meid="g"))
    assert pushed == ["new"]


def test_the_manager_is_asked_when_it_is_wanted_and_once_more_after_a_table_has_come() -> None:
    with Peer() as routing_manager:
        control = free_port()
        env = {"RMR_RTG_SVC": routing_manager.name, "RMR_CTL_PORT": str(control), "RMR_SRC_ID": ME, "RMR_BIND_IF": ME}
        rmr = build(RmrSettings(proto_port=f"tcp:{free_port()}"), env, lambda message: None)
        rmr.start(ask=False)
        gevent.sleep(0.2)
        assert routing_manager.got == []
        rmr.ask_for_routes()
        (asked,) = eventually(lambda: routing_manager.got)
        assert asked.mtype == mtypes.RMRRM_REQ_TABLE
        pushing = Manager(control)
        pushing.push("newrt|start|t\nnewrt|end\n")
        pushing.states(1)
        assert not rmr.awaits_routes()
        rmr.ask_for_routes()
        assert rmr.awaits_routes()
        rmr.stop(timeout=0)
        pushing.link.close()
