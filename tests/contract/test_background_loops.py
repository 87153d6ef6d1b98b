# SPDX-License-Identifier: Apache-2.0
"""Each background loop of the product is started for real, its first steps are made to fail, and it goes on."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import gevent
import pytest
from gevent import socket
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from support.lease.key import MemoryKey
from support.mec.meo_world import World
from support.mec.replicas import replica
from support.ports import free_port
from support.rmr.fake_librmr import FakeLibrmr
from support.store.database import Database
from support.store.shared import MemoryShared
from support.waiting import eventually

from mec.ams.service import MobilityObserver
from mec.app import Mec
from mec.common.flights import Flights
from mec.common.settings import MecSettings
from mec.controller.identity_push import PushSettings
from mec.controller.late_user_data import LateUserData
from mec.controller.manager_client import ManagerClient
from mec.controller.model import Happening, Identity
from mec.controller.service import Controller, ControllerSettings
from mec.meo.demo import Demo
from mec.meo.readiness import Watches
from submgr.adapters.records.progress import RestoreProgress
from submgr.adapters.records.store import StoredRecords
from submgr.adapters.records.warm import WarmRecords
from submgr.adapters.rnib.rnib_nodes import RnibNodeState
from submgr.adapters.stored_routes import StoredRoutes
from submgr.adapters.tracing.exporting import QueuedSpans
from submgr.app import build
from submgr.daemon import Daemon
from submgr.platform import supervised
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.http.buffered_socket import BufferedSocket
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import Endpoint
from submgr.platform.http.idle_pool import IdlePool
from submgr.platform.lease.leadership import Leadership
from submgr.platform.lease.lease import Lease
from submgr.platform.lease.record import Holder
from submgr.platform.logs import Logs
from submgr.platform.store.base import StoreError
from submgr.platform.store.committing import CommittingStore
from submgr.platform.store.loading import Loader
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlSettings
from submgr.platform.supervised import SupervisedLoop
from submgr.rmr.librmr.transport import LibrmrTransport
from submgr.rmr.message import Message
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.routing.seed_file import SeedFile
from submgr.rmr.stash import Stash
from submgr.rmr.transport import TransportConfig
from submgr.settings.live import LiveSettings
from submgr.settings.loader import load

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r'SupervisedLoop\(\s*f?"([^"{]+)')
TABLE = "newrt|start|t1\nmse|12010|-1|127.0.0.1:1\nnewrt|end\n"


@contextmanager
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    text = "{subscription: {host: '127.0.0.1:0'}, local: {host: '127.0.0.1:0'}, sdl: {backend: memory}, "
    text += f"rmr: {{protPort: 'tcp:{free_port()}'}}}}"
    seed, config = tmp_path / "routes", tmp_path / "config.yaml"
    seed.write_text(TABLE)
    config.write_text(text)
    environment = {
        "RMR_SRC_ID": "127.0.0.1",
        "RMR_SEED_RT": str(seed),
        "RMR_CTL_PORT": str(free_port()),
        "RMR_RTG_SVC": f"127.0.0.1:{free_port()}",
        "RMR_BIND_IF": "127.0.0.1",
    }
    output = (tmp_path / "log").open("w")
    live, logs = LiveSettings(load(text, {}), {}), Logs("test", descriptor=output.fileno())
    made = build(live, environment, logs, ConfigWatcher(str(config), text, lambda new: None, interval=0.01))
    logs.start()
    made.start()
    made.parts.rmr.set_routes(parse_routes(TABLE))
    eventually(lambda: made.parts.probes.restored)
    try:
        yield made
    finally:
        made.stop()
        logs.stop()
        output.close()


@contextmanager
def seed_file(tmp_path: Path) -> Iterator[object]:
    reader = SeedFile(tmp_path / "missing", lambda table: None)
    reader.load(frozenset())
    reader.watch()
    yield reader
    reader.stop()


@contextmanager
def stash(tmp_path: Path) -> Iterator[object]:
    writer = Stash(tmp_path / "stash")
    writer.save(parse_routes(TABLE))
    yield writer
    writer.stop()


@contextmanager
def rnib(tmp_path: Path) -> Iterator[object]:
    variables = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(free_port())}
    nodes = RnibNodeState(SdlChannel(SdlSettings(variables)), interval=0.01)
    nodes.start()
    yield nodes
    nodes.stop()


@contextmanager
def erasing(tmp_path: Path) -> Iterator[object]:
    database = Database()
    store = CommittingStore(database, probe_interval=60)
    store.start()
    database.read_only = True
    records = StoredRecords(store, retry_interval=0.01)
    records.erase_e2(1, lambda failure: None)
    yield records
    records.stop()
    store.stop(0)


@contextmanager
def loading(tmp_path: Path) -> Iterator[object]:
    def load_nothing() -> None:
        raise StoreError("away")

    loader = Loader(load_nothing, logging.getLogger("loads"), "waits", sleep=lambda seconds: gevent.sleep(0.01))
    loader.start()
    yield loader
    loader.stop()


@contextmanager
def idle(tmp_path: Path) -> Iterator[object]:
    pool = IdlePool(1, 1, 0.02)
    ours, theirs = socket.socketpair()
    pool.put(Endpoint("http", "a", 1), BufferedSocket(ours))
    yield pool
    pool.close()
    theirs.close()


@contextmanager
def librmr(tmp_path: Path) -> Iterator[object]:
    fake = FakeLibrmr()
    config = TransportConfig(host="127.0.0.1", port=free_port(), name="127.0.0.1")
    transport = LibrmrTransport(config, lambda message: None, load=lambda: fake)
    transport.start()
    transport.send_to("127.0.0.1:1", Message(1, b"x"))
    yield transport
    transport.stop(timeout=0)
    fake.shut()


@contextmanager
def manager(tmp_path: Path) -> Iterator[object]:
    store = MemoryStore()
    store.start()
    mec = Mec(MecSettings(host="127.0.0.1:0", mec_id=5), None, store, CollectorRegistry(), Health())
    mec.start()
    assert isinstance(mec.mobility, MobilityObserver)
    mec.mobility.served("001010000000001", "1")
    yield mec
    mec.stop()
    store.stop()


@contextmanager
def one_of_several(tmp_path: Path) -> Iterator[object]:
    data = tmp_path / "data.json"
    data.write_text("{}")
    settings = MecSettings(host="127.0.0.1:0", mec_id=5, data_file=str(data))
    mec = Mec(settings, None, replica(), CollectorRegistry(), Health())
    mec.start()
    assert isinstance(mec.mobility, MobilityObserver)
    mec.mobility.served("001010000000001", "1")
    yield mec
    mec.stop()


@contextmanager
def flight(tmp_path: Path) -> Iterator[object]:
    flights = Flights(MemoryShared(), "mec_ues", "flight/", {}, lambda: ValueError("late"))
    flying = gevent.spawn(flights.fly, "name", lambda: gevent.sleep(60), lambda: None)
    yield flights
    flying.kill()


@contextmanager
def controller(tmp_path: Path) -> Iterator[object]:
    store = MemoryStore()
    store.start()
    settings = ControllerSettings("home", "127.0.0.1:0", PushSettings(idps=(), manager="http://127.0.0.1:1"))
    made = Controller(settings, store, CollectorRegistry(), Health())
    made.start()
    yield made
    made.stop()
    store.stop()


@contextmanager
def demo(tmp_path: Path) -> Iterator[object]:
    made = Demo(lambda text: None, pace=0.01, seed=1)
    made.start()
    yield made
    made.stop()


@contextmanager
def lease(tmp_path: Path) -> Iterator[object]:
    mine = Lease(Holder("name", "", "token"), 0.3)
    made = Leadership(mine, MemoryKey(), lambda: 0, lambda epoch: None, lambda why: None)
    made.start()
    yield made
    made.stop()


@contextmanager
def standby(tmp_path: Path) -> Iterator[object]:
    variables = {"DBAAS_SERVICE_HOST": "127.0.0.1", "DBAAS_SERVICE_PORT": str(free_port())}
    warm = WarmRecords(MemoryStore(), SdlChannel(SdlSettings(variables)))
    warm.start()
    yield warm
    warm.stop()


@contextmanager
def kept_routes(tmp_path: Path) -> Iterator[object]:
    routes = StoredRoutes(lambda data: None)
    routes.start()
    routes.keep(parse_routes(TABLE))
    yield routes
    routes.stop()


@contextmanager
def evacuation(tmp_path: Path) -> Iterator[object]:
    world = World()
    world.start()
    world.platform("a")
    world.orchestrator.optimiser.evacuate("a")
    yield world
    world.stop()


@contextmanager
def late_user_data(tmp_path: Path) -> Iterator[object]:
    late = LateUserData(ManagerClient(f"http://127.0.0.1:{free_port()}", HttpClient()), lambda *told: None, 10)
    late.add("1010000000001", Identity(Happening.ATTACHED, "001010000000001", "10.0.0.1", 1, 2, None, None))
    yield late
    late.stop()


@contextmanager
def restoring(tmp_path: Path) -> Iterator[object]:
    progress = RestoreProgress(list)
    progress.begin()
    yield progress
    progress.stop()


@contextmanager
def watched_deployment(tmp_path: Path) -> Iterator[object]:
    watches = Watches(lambda *told: None, lambda: 0.0)
    watches.start(("app", "platform"), lambda: "not yet")
    yield watches
    watches.stop()


@contextmanager
def traces(tmp_path: Path) -> Iterator[object]:
    spans = QueuedSpans(InMemorySpanExporter(), lambda meid, content: "", "nowhere")
    spans.start()
    yield spans
    spans.stop()


WHO_STARTS: dict[str, Callable[[Path], AbstractContextManager[object]]] = {
    "MEC 021 events": manager,
    "MEC 021 expiry": manager,
    "MEC 021 log": one_of_several,
    "one flight": flight,
    "SDL channel": rnib,
    "R-NIB events": rnib,
    "R-NIB reader": rnib,
    "conditions": daemon,
    "configuration watcher": daemon,
    "device of the demo": demo,
    "emptied database": one_of_several,
    "erasing records": erasing,
    "evacuation": evacuation,
    "followed records": standby,
    "health watch": daemon,
    "idle connections": idle,
    "idle rmr endpoints": daemon,
    "key availability": manager,
    "kept route table": kept_routes,
    "lease": lease,
    "librmr receiver": librmr,
    "librmr sender": librmr,
    "loading, ": loading,
    "log output": daemon,
    "look at the database": daemon,
    "optimisation": manager,
    "orphans": daemon,
    "platforms of the demo": demo,
    "purge of UEs": controller,
    "readiness": watched_deployment,
    "reconciler": daemon,
    "restore progress": restoring,
    "rmr endpoint": daemon,
    "rmr receiver": daemon,
    "rmr table request": daemon,
    "route table file": seed_file,
    "route table stash": stash,
    "store writer": daemon,
    "traces": traces,
    "user data of UEs": late_user_data,
}


def test_every_loop_is_in_the_table() -> None:
    files = [path for package in ("submgr", "mec") for path in (ROOT / package).rglob("*.py")]
    assert {name for path in files for name in NAMES.findall(path.read_text())} == WHO_STARTS.keys()


@pytest.mark.parametrize("name", WHO_STARTS)
def test_it_goes_on_whatever_it_raises(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = (ValueError("one"), gevent.Timeout(2), RecursionError("three"))
    raised: Counter[str] = Counter()
    went_on: Counter[str] = Counter()
    made = SupervisedLoop.__init__

    def sabotaged(
        self: SupervisedLoop, of: str, step: Callable[[], bool | None], *, longest_pause: float = 1.0
    ) -> None:
        left = list(errors) if of.startswith(name) else []

        def first_fail() -> bool | None:
            if left:
                raised[of] += 1
                raise left.pop(0)
            went_on[of] += 1
            return step()

        made(self, of, first_fail, longest_pause=0.01)

    monkeypatch.setattr(SupervisedLoop, "__init__", sabotaged)
    before = sum(times for of, times in supervised.failures.items() if of.startswith(name))
    with ExitStack() as stack:
        stack.enter_context(WHO_STARTS[name](tmp_path))
        eventually(lambda: any(of.startswith(name) for of in went_on))
        failed = sum(times for of, times in supervised.failures.items() if of.startswith(name)) - before
        assert failed >= len(errors)
        assert failed == sum(raised.values())
