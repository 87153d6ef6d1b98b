# SPDX-License-Identifier: Apache-2.0
"""`mec bench`: measures how fast the controller takes S1AP in and state follows a UE. Prints Markdown tables."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import click
import gevent
import msgspec
from flask import Response
from prometheus_client import CollectorRegistry

from mec.bench_replicas import free_ports, table, wait_for
from mec.common.problem_details import problem_app
from mec.controller.identity_push import PushSettings
from mec.controller.model import Association
from mec.controller.procedures import Identities
from mec.controller.protocol import s1ap_ies
from mec.controller.protocol.framing import Framer
from mec.controller.recordings.calls import Call, attach
from mec.controller.recordings.pdus import uninteresting
from mec.controller.recordings.replay import Replayer
from mec.controller.service import Controller, ControllerSettings
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from submgr.platform.http.server import HttpServer
from submgr.platform.progress import Progress
from submgr.platform.store.sqlite import SqliteStore

_APP = "12345"
_SIZES = {"10 KB": 10_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
_PUBLISHED = {"10 KB": (0.070, 0.034), "1 MB": (0.341, 0.066), "10 MB": (2.713, 0.234)}
_CHUNK = 64 * 1024


@click.command()
@click.option("--attaches", type=click.IntRange(10, 100_000), default=2000, show_default=True)
@click.option("--pdus", type=click.IntRange(100, 10_000_000), default=200_000, show_default=True,
              help="Of those that say nothing about UEs.")  # fmt: skip
@click.option("--fetches", type=click.IntRange(1, 1000), default=15, show_default=True, help="Of each size.")
@click.option(
    "--replicas", type=click.IntRange(1, 100), help="Measure requests with so many replicas, and nothing else."
)
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=5.0, show_default=True,
              help="For each number of replicas and kind of request.")  # fmt: skip
def bench(attaches: int, pdus: int, fetches: int, replicas: int | None, seconds: float) -> None:
    """Measure S1AP against decoding all of it with pycrate, and fetches of application state; or replicas."""
    with Progress() as progress:
        if replicas is not None:
            progress.says("requests to replicas")
            lines = table(replicas, seconds)
        else:
            progress.says("S1AP, then fetches of state")
            lines = chain(_s1ap(attaches, pdus), [""], _fetching(fetches))
        for line in lines:
            progress.prints(line)


def _s1ap(attaches: int, pdus: int) -> Iterator[str]:
    calls = [Call(at, 1_000_000 + at, f"00101{at:010d}", [_address(at)], _guti(at)) for at in range(attaches)]
    attaching = [pdu for call in calls for pdu in attach(call)]
    per_attach = len(attaching) // attaches
    boring = [uninteresting(5, 6)] * pdus
    ours = [attaches / _best(_take_in, attaching), pdus / _best(_take_in, boring)]
    fewer = attaching[: per_attach * min(attaches, 200)]
    plain = [
        len(fewer) / per_attach / _best(_decode_all, fewer),
        min(pdus, 2000) / _best(_decode_all, boring[: min(pdus, 2000)]),
    ]
    whole = attaches / _through_socket(attaching, attaches)
    yield "| S1AP on one core, per second | here | all decoded by pycrate | ratio |"
    yield "|---|---|---|---|"
    yield f"| attaches ({per_attach} PDUs each) | {ours[0]:,.0f} | {plain[0]:,.0f} | {ours[0] / plain[0]:.0f} |"
    yield f"| PDUs that say nothing about UEs | {ours[1]:,.0f} | {plain[1]:,.0f} | {ours[1] / plain[1]:.0f} |"
    yield f"| attaches through a socket, into a SQLite store | {whole:,.0f} | | |"


def _take_in(pdus: list[bytes]) -> None:
    identities, association, framer = Identities(), Association(1, "bench"), Framer()
    stream = b"".join(pdus)
    for at in range(0, len(stream), _CHUNK):
        for pdu in framer.feed(stream[at : at + _CHUNK]):
            identities.take(association, pdu, 0.0)


def _decode_all(pdus: list[bytes]) -> None:
    """Every PDU with everything in it, and the NAS messages too."""
    from pycrate_mobile.NAS import parse_NAS_MO, parse_NAS_MT

    import mec.controller.recordings.nas_messages  # noqa: F401 - keeps pycrate_mobile quiet

    for pdu in pdus:
        _, value = s1ap_ies.decode(pdu)
        for nas in _nas_in(value):
            message, failed = (parse_NAS_MO if pdu[1] in (12, 13) else parse_NAS_MT)(nas)
            inner = None if failed else message["NASMessage"] if "NASMessage" in message._by_name else None
            if inner is not None:
                (parse_NAS_MO if pdu[1] in (12, 13) else parse_NAS_MT)(inner.get_val())


def _nas_in(value: dict[str, Any]) -> Iterator[bytes]:
    for ie in value["value"][1]["protocolIEs"]:
        name, content = ie["value"]
        if name == "NAS-PDU":
            yield content
        elif name == "E-RABToBeSetupListCtxtSUReq":
            for item in content:
                if "nAS-PDU" in item["value"][1]:
                    yield item["value"][1]["nAS-PDU"]


def _through_socket(pdus: list[bytes], attaches: int) -> float:
    with tempfile.TemporaryDirectory() as directory:
        store = SqliteStore(Path(directory) / "bench.db")
        settings = ControllerSettings("home", "127.0.0.1:0", PushSettings((), ""))
        controller = Controller(settings, store, CollectorRegistry(), Health())
        store.start()
        controller.start()
        try:
            replayer = Replayer(*controller.address)
            begun = time.perf_counter()
            for at in range(0, len(pdus), 100):
                replayer.send("", b"".join(pdus[at : at + 100]))
            while len(controller.identities.ues) < attaches or store.stats().waiting:
                gevent.sleep(0.001)
            return time.perf_counter() - begun
        finally:
            controller.stop()
            store.stop()


def _fetching(times: int) -> Iterator[str]:
    yield "| fetch of a state, median s | published | here | published, prefetched | here, prefetched |"
    yield "|---|---|---|---|---|"
    client = HttpClient()
    with _site() as site:
        for name, size in _SIZES.items():
            site.state = msgspec.json.encode({"pad": "x" * size})
            cold, warm = [], []
            for _ in range(times):
                site.leave(client)
                cold.append(_seconds(site.fetch, client))
                site.leave(client)
                site.prefetch(client)
                warm.append(_seconds(site.fetch, client))
            before, before_warm = _PUBLISHED[name]
            yield (
                f"| {name} | {before:.3f} | {statistics.median(cold):.4f} | {before_warm:.3f}"
                f" | {statistics.median(warm):.4f} |"
            )
    client.close()


class _Site:
    """A home and a foreign manager with a proxy, as processes; the application at home is in this one."""

    def __init__(self, ports: tuple[int, int, int]) -> None:
        self.state = b"{}"
        self._home, self._foreign, _ = (f"http://127.0.0.1:{port}" for port in ports)

    def answer(self) -> Response:
        return Response(self.state, content_type="application/json")

    def leave(self, client: HttpClient) -> None:
        """The UE uses the application at home, so that a state elsewhere is void."""
        _get(client, f"{self._home}/ams/app/notify/?imsi=001010000000001&mecId=5&appId={_APP}")

    def fetch(self, client: HttpClient) -> None:
        """The application at the foreign MEC wants the state."""
        body = _get(client, f"{self._foreign}/ams/fetch/state/?imsi=001010000000001&appId={_APP}")
        if len(body) < len(self.state):
            raise click.ClickException("a fetch came back without the state")

    def prefetch(self, client: HttpClient) -> None:
        """The controller of the foreign MEC has seen the UE; wait until the state is there."""
        client.request("POST", f"{self._foreign}/ams/prefetch/state", body=b'{"imsi":"001010000000001"}')
        while b"mec_ams_prefetches 0.0" not in _get(client, f"{self._foreign}/metrics"):
            gevent.sleep(0.005)


@contextmanager
def _site() -> Iterator[_Site]:
    home, foreign, proxy = free_ports(3)
    site = _Site((home, foreign, proxy))
    app = problem_app("mec.bench")
    app.add_url_rule("/mec/app/state", "state", site.answer, methods=["GET"])
    server = HttpServer("bench", "127.0.0.1:0", app)
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        server.start()
        stack.callback(server.stop, 0.0)
        info = {
            "mecs": [
                {"id": 5, "managerAmsUrl": f"http://127.0.0.1:{home}"},
                {"id": 9, "managerAmsUrl": f"http://127.0.0.1:{foreign}"},
            ]
        }
        (Path(directory) / "mecInfo.json").write_bytes(msgspec.json.encode(info))
        by_proxy = ["--proxy-url", f"http://127.0.0.1:{proxy}"]
        app_url = f"{_APP}=http://127.0.0.1:{server.address[1]}"
        for arguments in (
            ["proxy", "--listen", f"127.0.0.1:{proxy}"],
            ["manager", "-n", "home", "--host", f"127.0.0.1:{home}", "--app-url", app_url, *by_proxy],
            ["manager", "-n", "foreign", "--mec-id", "9", "--host", f"127.0.0.1:{foreign}", *by_proxy],
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "mec", *arguments], cwd=directory, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(process.wait)
            stack.callback(process.terminate)
        for port in (home, foreign, proxy):
            wait_for(port)
        yield site


def _get(client: HttpClient, url: str) -> bytes:
    try:
        answer = client.request("GET", url)
    except HttpError as exc:
        raise click.ClickException(str(exc)) from exc
    if not answer.ok:
        raise click.ClickException(f"{url.partition('?')[0]} answers with {answer.status}")
    return answer.body


def _seconds(function: Callable[[Any], None], argument: Any) -> float:
    begun = time.perf_counter()
    function(argument)
    return time.perf_counter() - begun


def _best(function: Callable[[Any], None], argument: Any) -> float:
    """Of three times: what else the machine does only makes it slower."""
    return min(_seconds(function, argument) for _ in range(3))


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _guti(number: int) -> bytes:
    return b"\x00\xf1\x10\x80\x01\x01" + number.to_bytes(4, "big")
