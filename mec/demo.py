# SPDX-License-Identifier: Apache-2.0
"""Two MECs in one process, with a proxy and an application that counts: a UE moves, and its counter follows it."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import gevent
import msgspec
from flask import Response, request
from gevent import socket
from gevent.event import Event
from prometheus_client import CollectorRegistry

from mec.app import Mec
from mec.common import imsi as imsis
from mec.common.peer_client import NoAnswer, PeerClient
from mec.common.problem_details import json_object, problem_app
from mec.common.settings import MecSettings
from mec.controller.cli import ControllerProgram
from mec.controller.identity_push import PushSettings
from mec.controller.recordings.calls import Call, attach, set_up
from mec.controller.recordings.pdus import Place
from mec.controller.recordings.replay import Replayer
from mec.controller.service import ControllerSettings
from mec.proxy.cli import ProxyProgram
from submgr.platform.health import Health
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.http.client import HttpClient
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.listen import ListenError
from submgr.platform.http.server import HttpServer
from submgr.platform.store.memory import MemoryStore
from submgr.platform.termination import run_until_terminated

HOME, FOREIGN = 5, 9
APP = "12345"
UE = "001010000000001"
_FIRST_COUNT = 8
_FIRST_USE = 3.0
_NAMES = {HOME: "home", FOREIGN: "foreign"}
_PLACES = {HOME: Place(cell=0xA101, tac=1, enb=0xA1), FOREIGN: Place(cell=0xB201, tac=2, enb=0xB2)}

Say = Callable[[str], None]


class CountingApp:
    """An application at one MEC. When a UE turns up it takes its counter over, from wherever it was, and counts on.

    It is told of UEs as an identity provider is (`/oidc/store`), and gives its state to application mobility
    (`/mec/app/state`).
    """

    def __init__(self, mec_id: int, listen: str, ams_url: str, client: HttpClient, say: Say) -> None:
        self.counts: dict[str, int] = {}
        self.used = Event()
        self._mec_id = mec_id
        self._ams_url = ams_url
        self._peers = PeerClient(client)
        self._say = say
        app = problem_app(f"mec.demo.{mec_id}")
        app.add_url_rule("/oidc/store", "store", self._identity, methods=["POST"])
        app.add_url_rule("/mec/app/state", "state", self._state, methods=["GET"])
        self.http = HttpServer(f"demo application of MEC {mec_id}", listen, app, errors=problem_errors)

    def use(self, imsi: str) -> None:
        """The UE uses the application here."""
        before = self._fetched(imsi)
        count = before if before is not None else self.counts.get(imsis.key(imsi), 0)
        self.counts[imsis.key(imsi)] = count + 1
        came = f" came from the other MEC with {before} and" if before is not None else ""
        where = f"MEC {self._mec_id} ({_NAMES[self._mec_id]})"
        try:
            url = f"{self._ams_url}/ams/app/notify/?imsi={imsi}&mecId={self._mec_id}&appId={APP}"
            told = self._peers.request("GET", url).ok
        except NoAnswer:
            told = False
        self._say(f"UE {imsis.masked(imsi)} is at {where}: its counter{came} is {count + 1} now")
        self.used.set()
        if not told:
            self._say("  the other MECs could not be told")

    def _fetched(self, imsi: str) -> int | None:
        try:
            answer = self._peers.request("GET", f"{self._ams_url}/ams/fetch/state/?appId={APP}&imsi={imsi}")
            return msgspec.json.decode(answer.body, type=_Fetched).state.count if answer.ok else None
        except (NoAnswer, msgspec.DecodeError):
            return None

    def _identity(self) -> Response:
        body = json_object()
        if body.get("event") == "attached":
            gevent.spawn(self.use, imsis.parse(body.get("imsi")))
        return json_response({"status": "ok"})

    def _state(self) -> Response:
        count = self.counts.get(imsis.key(request.args.get("imsi", "")))
        if count is None:
            raise ApiError(404, "this UE was never here")
        return json_response({"count": count})


class _State(msgspec.Struct):
    count: int


class _Fetched(msgspec.Struct):
    state: _State


@dataclass(frozen=True, slots=True)
class _Ports:
    manager: int
    controller: int
    http: int
    app: int


class Demo:
    """Runs between `start` and `stop`. `lines` are for the newcomer."""

    def __init__(self, directory: Path, say: Say) -> None:
        self._directory = directory
        self._client = HttpClient(user_agent="mec-demo")
        proxy_port, *free = _free_ports(9)
        self._ports = {HOME: _Ports(*free[:4]), FOREIGN: _Ports(*free[4:])}
        mecs = [{"id": mec_id, "managerAmsUrl": _url(each.manager)} for mec_id, each in self._ports.items()]
        info = directory / "mecInfo.json"
        info.write_bytes(msgspec.json.encode({"mecs": mecs}))
        (directory / "data.json").write_bytes(
            msgspec.json.encode({"users": [{"imsi": UE, "subscriptionData": {"subscribedApps": [int(APP)]}}]})
        )
        self._proxy = ProxyProgram(f"127.0.0.1:{proxy_port}", str(info))
        self._sites = {mec_id: _Site(mec_id, ports, proxy_port, directory, self._client, say)
                       for mec_id, ports in self._ports.items()}  # fmt: skip
        for mec_id in self._ports:
            self._recording(mec_id).write_text("".join(f"{pdu.hex()}\n" for pdu in _arrival(mec_id)), encoding="ascii")

    @property
    def lines(self) -> list[str]:
        """What runs where, and how to move the UE."""
        home, foreign = self._ports[HOME], self._ports[FOREIGN]
        return [
            f"MEC {HOME} (home): manager http://127.0.0.1:{home.manager}, UEs http://127.0.0.1:{home.http}/ues",
            f"MEC {FOREIGN} (foreign): manager http://127.0.0.1:{foreign.manager},"
            f" UEs http://127.0.0.1:{foreign.http}/ues",
            f"A UE is at the home MEC, and the demo application has counted to {_FIRST_COUNT}. Move it, and see its"
            " counter follow:",
            f"  {self.command(FOREIGN)}",
            f"And back: {self.command(HOME)}",
        ]

    @property
    def overviews(self) -> list[Callable[[], dict[str, Any]]]:
        """What makes the view of each MEC for operators."""
        return [site.mec.overview for site in self._sites.values()]

    def command(self, mec_id: int) -> str:
        """What moves the UE to a MEC."""
        program = Path(sys.executable).with_name("mec")
        return f"{program} replay {self._recording(mec_id)} --to 127.0.0.1:{self._ports[mec_id].controller}"

    def count(self, mec_id: int) -> int | None:
        """The UE's counter at a MEC."""
        return self._sites[mec_id].app.counts.get(imsis.key(UE))

    def arrive(self, mec_id: int) -> None:
        """What the command does, from within. Raises ReplayError."""
        replayer = Replayer("127.0.0.1", self._ports[mec_id].controller)
        for pdu in _arrival(mec_id):
            replayer.send("", pdu)
        replayer.finish()

    def start(self) -> None:
        """Raises ListenError."""
        self._proxy.start()
        for site in self._sites.values():
            site.start()
        home = self._sites[HOME].app
        home.counts[imsis.key(UE)] = _FIRST_COUNT - 1
        self.arrive(HOME)
        home.used.wait(_FIRST_USE)

    def stop(self) -> None:
        """End everything, and remove the files."""
        for site in self._sites.values():
            site.stop()
        self._proxy.stop()
        self._client.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _recording(self, mec_id: int) -> Path:
        return self._directory / f"arrives-at-{_NAMES[mec_id]}.hex"


class _Site:
    """One MEC: manager and application mobility, controller, application."""

    def __init__(
        self, mec_id: int, ports: _Ports, proxy_port: int, directory: Path, client: HttpClient, say: Say
    ) -> None:
        network = _NAMES[mec_id]
        self.app = CountingApp(mec_id, f"127.0.0.1:{ports.app}", _url(ports.manager), client, say)
        self._store = MemoryStore()
        settings = MecSettings(
            enabled=True,
            host=f"127.0.0.1:{ports.manager}",
            network=network,
            mec_id=mec_id,
            home_mec_id=HOME,
            proxy_url=_url(proxy_port),
            controller_url=_url(ports.http),
            app_urls={APP: _url(ports.app)},
            data_file=str(directory / "data.json") if mec_id == HOME else None,
            additional_bytes=1000,
        )
        self.mec = Mec(settings, None, self._store, CollectorRegistry(), Health())
        push = PushSettings((_url(ports.app),), _url(ports.manager), user_data=True, state=True)
        controller = ControllerSettings(network, f"127.0.0.1:{ports.controller}", push)
        self._controller = ControllerProgram(controller, f"127.0.0.1:{ports.http}", MemoryStore())

    def start(self) -> None:
        self._store.start()
        self.mec.start()
        self.app.http.start()
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()
        self.app.http.stop(grace=0.5)
        self.mec.stop()
        self._store.stop()


def start_demo(say: Say = print) -> Demo:
    """A running demo; `say` is given a line whenever the UE has moved. Raises ListenError."""
    demo = _made(say)
    try:
        demo.start()
    except BaseException:
        demo.stop()
        raise
    return demo


def _made(say: Say) -> Demo:
    return Demo(Path(tempfile.mkdtemp(prefix="mec-demo-")), say)


@click.command("demo")
def command() -> None:
    """Run two MECs with a UE, until SIGTERM; says how to move it."""
    demo = _made(click.echo)

    def start() -> None:
        demo.start()
        click.echo("\n".join(demo.lines))

    try:
        run_until_terminated(start, demo.stop)
    except ListenError as exc:
        raise click.ClickException(str(exc)) from exc


def _arrival(mec_id: int) -> list[bytes]:
    """The UE attaches at an eNB of a MEC."""
    place = _PLACES[mec_id]
    call = Call(mec_id, 100 + mec_id, UE, [f"192.168.{mec_id}.2"], place=place)
    return [*set_up(place), *attach(call)]


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports: list[int] = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports
