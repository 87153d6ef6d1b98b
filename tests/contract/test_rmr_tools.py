# SPDX-License-Identifier: Apache-2.0
"""The commands for RMR, the benchmark and a short soak, over the loopback interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from support.ports import free_port
from support.rmr.peer import Peer

from submgr.rmr import mtypes
from submgr.rmr.message import Message
from submgr.rmr.tools.bench import measure, receiver
from submgr.rmr.tools.bench import rmr as bench
from submgr.rmr.tools.cli import rmr
from submgr.rmr.tools.soak import soak
from submgr.rmr.transport import TransportConfig
from submgr.rmr.wire.transport import WireTransport


@pytest.fixture
def node() -> Iterator[Callable[..., WireTransport]]:
    started: list[WireTransport] = []

    def make(handler: Callable[[WireTransport, Message], Any]) -> WireTransport:
        config = TransportConfig(host="127.0.0.1", port=0, name="127.0.0.1")
        transport = WireTransport(config, lambda message: handler(transport, message))
        transport.start()
        started.append(transport)
        return transport

    yield make
    for transport in started:
        transport.stop(timeout=0)


def invoke(*arguments: str, command: click.Command = rmr, text: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(command, arguments, input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_probe(node: Callable[..., WireTransport]) -> None:
    healthy = node(lambda at, message: None)
    assert invoke("probe", healthy.name) == (0, "OK\n")


def test_probe_of_nobody() -> None:
    code, output = invoke("probe", f"127.0.0.1:{free_port()}", "--wait", "0.3")
    assert code == 1
    assert "not sent: cannot connect to" in output


def test_probe_of_the_silent() -> None:
    with Peer() as peer:
        code, output = invoke("probe", peer.name, "--wait", "0.2")
    assert code == 1
    assert "has not answered within 0.2 s" in output


def test_send_and_print_the_answer(node: Callable[..., WireTransport]) -> None:
    got: list[Message] = []

    def answer(at: WireTransport, message: Message) -> None:
        got.append(message)
        at.reply(message, mtypes.RIC_SUB_RESP, b"yes")

    peer = node(answer)
    code, output = invoke(
        "send", peer.name, "--mtype", "12010", "--file", "-", "--meid", "gnb", "--sub-id", "3", "--xid", "ab",
        "--wait", "0.5", text="please",
    )  # fmt: skip
    assert code == 0
    assert f"12011 RIC_SUB_RESP from {peer.name} sub_id 3 meid gnb xid 6162 3 bytes 796573" in output
    assert [(message.payload, message.meid, message.sub_id) for message in got] == [(b"please", "gnb", 3)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send", "nowhere", "--mtype", "1"), "has no port"),
        (("send", "127.0.0.1:1", "--mtype", "1", "--meid", "m" * 32), "not sent: OVERFLOW"),
        (("probe", "127.0.0.1:99999"), "1..65535 is expected"),
    ],
)
def test_bad_arguments_are_told(arguments: tuple[str, ...], said: str) -> None:
    code, output = invoke(*arguments)
    assert code != 0
    assert said in output


def test_listen(node: Callable[..., WireTransport]) -> None:
    port = free_port()
    sender = node(lambda at, message: None)

    for _ in range(2):
        sender.send_to(f"127.0.0.1:{port}", Message(31000))
    code, output = invoke("listen", "--host", "127.0.0.1", "--port", str(port), "--count", "2")
    assert code == 0
    assert output.count(f"31000 from {sender.name} sub_id -1 0 bytes") == 2


def test_listen_on_a_port_in_use(node: Callable[..., WireTransport]) -> None:
    taken = node(lambda at, message: None)
    code, output = invoke("listen", "--host", "127.0.0.1", "--port", str(taken.port))
    assert code == 1
    assert "the port is in use" in output


def test_routes(tmp_path: Path) -> None:
    file = tmp_path / "table.rt"
    file.write_text(
        "newrt|start|x\nrte|12010|%meid\nmse|12050|7|a:1,b:1;c:1\nrte|12011|me:4560\nnewrt|end|3\n"
        "meid_map|start\nmme_ar|e:1|gnb\nmeid_map|end|1\n"
    )
    code, output = invoke("routes", str(file), "--own", "me:4560")
    assert code == 0
    assert output.splitlines() == [
        "RIC_SUB_REQ -> the owner of its meid",
        "RIC_SUB_RESP -> nobody (ourselves only)",
        "RIC_INDICATION with sub id 7 -> a:1 or b:1 and c:1",
        "meid gnb -> e:1",
        f"{file}: good, 3 routes, 1 meids",
    ]
    file.write_text("newrt|start|x\nrte|1|%meid\nnewrt|end|3\n")
    code, output = invoke("routes", str(file))
    assert code == 1
    assert f"{file}: line 3: missing table records: expected 3 got 1" in output


def test_routes_tells_what_is_skipped_and_why(tmp_path: Path) -> None:
    file = tmp_path / "table.rt"
    file.write_text(
        "newrt|start|x\nmse|,e2mgr:3801|-1|e2t:38000\nmse||-1|e2t:38000\nmse|12010,me:4560|-1|host,e2t:38000\nnewrt|end|3\n"
    )
    code, output = invoke("routes", str(file), "--own", "me:4560")
    assert code == 0
    assert output.splitlines() == [
        "RIC_SUB_REQ -> e2t:38000",
        "skipped: line 3: message type '' is no number from 0 on: 'mse||-1|e2t:38000'",
        "skipped: line 4: target left out: 'host' has no port, host:port is expected: "
        "'mse|12010,me:4560|-1|host,e2t:38000'",
        f"{file}: 2 records skipped, 1 routes, 0 meids, 1 records for other senders",
    ]


@pytest.mark.parametrize("senders", [1, 16])
def test_the_benchmark_loses_nothing(senders: int) -> None:
    with receiver() as peer:
        got = measure(peer, senders, 256, 16_000, 160)
    assert got["lost"] == 0
    assert 0 < got["p50"] <= got["p99"] <= got["longest"]


def test_the_benchmark_prints_a_line_for_each_measurement() -> None:
    code, output = invoke("--messages", "1600", "--exchanges", "160", command=bench)
    assert code == 0
    assert len(output.splitlines()) == 5


def test_a_stream_cut_into_any_pieces_loses_nothing_and_keeps_its_order() -> None:
    got = soak(20_000, cuts=False)
    assert (got.answered, got.sent_again, got.answered_twice, got.out_of_order) == (20_000, 0, 0, 0), got.text()


def test_connections_cut_off_at_random_lose_no_exchange() -> None:
    got = soak(20_000, cuts=True, seed=3)
    assert (got.answered, got.sender.receive_error) == (20_000, {}), got.text()
    assert got.cuts > 0
    assert got.sent_again < 20_000
