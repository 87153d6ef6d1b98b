# SPDX-License-Identifier: Apache-2.0
"""The poller against key management entities that want a certificate."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.ssl
import pytest
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry
from support.waiting import eventually

from mec.meo.metrics import MeoMetrics
from mec.meo.model import Platform, QkdSource
from mec.meo.period import Period
from mec.meo.qkd import QkdPoller


def openssl(*arguments: str, folder: Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30, cwd=folder)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two self-signed certificates: "kme" for 127.0.0.1, and "meo" of the client."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt-get install openssl")
    folder = tmp_path_factory.mktemp("qkd")
    for name in ("kme", "meo"):
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=folder,
        )  # fmt: skip
    return folder


class Kme:
    """A key management entity that knows how many keys it shares with each peer."""

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, Any] = {}
        self.asked: list[str] = []
        context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "kme.pem", folder / "kme.key")
        context.load_verify_locations(folder / "meo.pem")
        context.verify_mode = gevent.ssl.CERT_REQUIRED
        self._server = WSGIServer(("127.0.0.1", 0), self._answer, log=None, error_log=None, ssl_context=context)
        self._server.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        slave = path.split("/")[4]
        if slave not in self.counts:
            start_response("400 Bad Request", [("Content-Type", "application/json")])
            return [b'{"message": "no such SAE"}']
        start_response("200 OK", [("Content-Type", "application/json")])
        found = self.counts[slave]
        if isinstance(found, bytes):
            return [found]
        return [json.dumps({"stored_key_count": found[0], "max_key_count": found[1]}).encode()]


@pytest.fixture
def kme(certificates: Path) -> Iterator[Kme]:
    kme = Kme(certificates)
    yield kme
    kme.stop()


class Poll:
    """A poller of platforms, asked to look by the test."""

    def __init__(self) -> None:
        self.platforms: list[Platform] = []
        self.told: dict[str, float] = {}
        metrics = MeoMetrics(CollectorRegistry())
        self._results = metrics.qkd_polls
        self.poller = QkdPoller(lambda: self.platforms, self.told.__setitem__, Period(lambda: 0.01), metrics)

    def look(self) -> None:
        before, polled = self.count(), sum(platform.qkd is not None for platform in self.platforms)
        self.poller.look()
        eventually(lambda: self.count() >= before + polled)

    def count(self, *results: str) -> int:
        return int(sum(self._results.labels(each)._value.get() for each in results or ("done", "failed")))


@pytest.fixture
def poll() -> Iterator[Poll]:
    poll = Poll()
    yield poll
    poll.poller.stop()


def source(folder: Path, kme: str, *slaves: str, certificate: str = "meo") -> QkdSource:
    return QkdSource(
        kme, slaves, str(folder / f"{certificate}.pem"), str(folder / f"{certificate}.key"), str(folder / "kme.pem")
    )


def test_the_least_of_all_peers(certificates: Path, kme: Kme, poll: Poll) -> None:
    kme.counts = {"a": (50, 100), "b": (10, 100), "full": (500, 100), "none": (5, 0)}
    poll.platforms = [
        Platform("two", "noop", "x", qkd=source(certificates, kme.address, "a", "b")),
        Platform("full", "noop", "x", qkd=source(certificates, f"https://{kme.address}/", "full")),
        Platform("none", "noop", "x", qkd=source(certificates, kme.address, "full", "none")),
        Platform("other", "noop", "x"),
        Platform("leaving", "noop", "x", withdrawn=True),
    ]
    poll.look()
    assert poll.told == {"two": 0.1, "full": 1.0, "none": 0.0}
    assert "/api/v1/keys/a/status" in kme.asked
    kme.counts["b"] = (90, 100)
    poll.look()
    assert poll.told["two"] == 0.5


@pytest.mark.parametrize(
    "trouble", ["no certificate", "wrong certificate", "absent", "no such peer", "no JSON", "no file"]
)
def test_nothing_is_told_when_it_is_not_known(certificates: Path, kme: Kme, poll: Poll, trouble: str) -> None:
    kme.counts = {"a": (50, 100), "garbage": b"<html>"}
    ca = str(certificates / "kme.pem")
    sources = {
        "no certificate": QkdSource(kme.address, ("a",), ca=ca),
        "wrong certificate": source(certificates, kme.address, "a", certificate="kme"),
        "absent": source(certificates, "127.0.0.1:1", "a"),
        "no such peer": source(certificates, kme.address, "a", "stranger"),
        "no JSON": source(certificates, kme.address, "garbage"),
        "no file": source(certificates, kme.address, "a", certificate="missing"),
    }
    poll.platforms = [Platform("p", "noop", "x", qkd=sources[trouble])]
    poll.look()
    assert poll.told == {}
    assert poll.count("failed") == 1


def test_an_entity_that_is_not_trusted(certificates: Path, kme: Kme, poll: Poll) -> None:
    kme.counts = {"a": (50, 100)}
    untrusted = QkdSource(
        kme.address, ("a",), str(certificates / "meo.pem"), str(certificates / "meo.key"), str(certificates / "meo.pem")
    )
    poll.platforms = [Platform("p", "noop", "x", qkd=untrusted)]
    poll.look()
    assert poll.told == {}


def test_new_certificates_are_taken(certificates: Path, kme: Kme, poll: Poll, tmp_path: Path) -> None:
    kme.counts = {"a": (50, 100)}
    for name in ("meo.pem", "meo.key", "kme.pem"):
        shutil.copy(certificates / name.replace("meo", "kme"), tmp_path / name)
    poll.platforms = [Platform("p", "noop", "x", qkd=source(tmp_path, kme.address, "a"))]
    poll.look()
    assert poll.told == {}
    for name in ("meo.pem", "meo.key"):
        shutil.copy(certificates / name, tmp_path / name)
    poll.look()
    assert poll.told == {"p": 0.5}


def test_a_silent_entity_delays_no_other(certificates: Path, kme: Kme, poll: Poll) -> None:
    silent = gevent.socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen()
    kme.counts = {"a": (50, 100)}
    poll.platforms = [
        Platform("silent", "noop", "x", qkd=source(certificates, f"127.0.0.1:{silent.getsockname()[1]}", "a")),
        Platform("p", "noop", "x", qkd=source(certificates, kme.address, "a")),
    ]
    poll.poller.start()
    eventually(lambda: poll.count("done") >= 5)
    assert poll.count("failed") == 0
    silent.close()
