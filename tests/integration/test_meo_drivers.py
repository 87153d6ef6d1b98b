# SPDX-License-Identifier: Apache-2.0
"""The drivers against peers on the loopback: a management service, OpenWhisk, a Kubernetes API server."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from support.http.peer import OK, HttpPeer, Request, answer
from support.ports import free_port

from mec.meo.drivers.base import Driver, DriverError, NeverReady, Report, resource_name
from mec.meo.drivers.kubernetes import KubernetesDriver
from mec.meo.drivers.openwhisk import OpenWhiskDriver
from mec.meo.drivers.registry import drivers
from mec.meo.drivers.webhook import WebhookDriver
from mec.meo.model import App, AppInfo, Platform, Support
from submgr.platform.http.client import HttpClient
from submgr.platform.outbound_rules import Outbound, OutboundRules

INFO = AppInfo("d", "My Game!", "acme", "1", "2")
KUBERNETES = {"image": "game:1", "namespace": "games", "replicas": 2, "ports": [8080], "env": {"A": 1}, "args": ["-v"]}
WHISK = {"exec": {"kind": "python:3", "code": "def main(args): return args"}}


def app(kind: str, deploy_info: Any) -> App:
    return App(INFO, (Support(kind, deploy_info=deploy_info),))


@pytest.fixture
def peer() -> Iterator[HttpPeer]:
    peer = HttpPeer()
    yield peer
    peer.stop()


def test_webhook(peer: HttpPeer) -> None:
    driver = WebhookDriver(HttpClient())
    platform = Platform("p1", "webhook", "http://p1/", f"http://127.0.0.1:{peer.port}/mgmt", "s3cret")
    game = app("webhook", {"image": "game:1"})
    driver.deploy(game, platform, 2.0)
    driver.remove(game, platform, 2.0)
    deploy, remove = peer.requests
    assert (deploy.method, deploy.path, deploy.headers["content-type"]) == ("POST", "/mgmt", "application/json")
    assert deploy.headers["authorization"] == "Bearer s3cret"
    assert deploy.json["deployInfo"] == {"image": "game:1"}
    assert deploy.json["appKey"] == game.key
    assert (remove.method, remove.path) == ("DELETE", "/mgmt")
    assert remove.json["appKey"] == game.key
    assert remove.json["appInfo"]["appName"] == "My Game!"


@pytest.mark.parametrize(("status", "done"), [("200 OK", True), ("204 No Content", True), ("202 Accepted", False)])
def test_webhook_whose_platform_tells_when_it_is_ready(peer: HttpPeer, status: str, done: bool) -> None:
    peer.answer = lambda request: answer(status)
    platform = Platform("p1", "webhook", "http://p1/", f"http://127.0.0.1:{peer.port}/mgmt")
    report = Report("f00", "http://meo/meo/v1/deployments/f00/status", "t0ken")
    driver = WebhookDriver(HttpClient())
    assert driver.deploy_reported(app("webhook", {}), platform, 2.0, report) == done
    (asked,) = peer.requests
    told = {name: asked.json[name] for name in ("deploymentId", "statusUrl", "statusToken")}
    assert told == {"deploymentId": "f00", "statusUrl": report.url, "statusToken": "t0ken"}


@pytest.mark.parametrize("status", ["400 Bad Request", "500 Internal Server Error", "302 Found", "404 Not Found"])
def test_webhook_refused(peer: HttpPeer, status: str) -> None:
    peer.answer = lambda request: answer(status)
    driver = WebhookDriver(HttpClient())
    platform = Platform("p1", "webhook", "http://p1/", f"http://127.0.0.1:{peer.port}/", {"token": "s3cret"})
    with pytest.raises(DriverError, match=f"POST answered with {status[:3]}") as caught:
        driver.deploy(app("webhook", {}), platform, 2.0)
    assert "s3cret" not in str(caught.value)
    if status.startswith("404"):
        driver.remove(app("webhook", {}), platform, 2.0)  # what is not there needs no removal
    else:
        with pytest.raises(DriverError):
            driver.remove(app("webhook", {}), platform, 2.0)


def test_openwhisk(peer: HttpPeer) -> None:
    driver = OpenWhiskDriver(HttpClient())
    platform = Platform("p1", "openwhisk", "http://p1/", f"http://127.0.0.1:{peer.port}", "uuid:key")
    action = app("openwhisk", WHISK)
    driver.deploy(action, platform, 2.0)
    peer.answer = lambda request: answer("404 Not Found")
    driver.remove(action, platform, 2.0)
    deploy, remove = peer.requests
    path = f"/api/v1/namespaces/_/actions/{resource_name(action)}"
    assert (deploy.method, deploy.path) == ("PUT", f"{path}?overwrite=true")
    assert deploy.json["exec"] == WHISK["exec"]
    assert base64.b64decode(deploy.headers["authorization"].split()[1]) == b"uuid:key"
    assert (remove.method, remove.path) == ("DELETE", path)


def test_openwhisk_is_ready_when_it_has_the_action(peer: HttpPeer) -> None:
    driver = OpenWhiskDriver(HttpClient())
    platform = Platform("p1", "openwhisk", "http://p1/", f"http://127.0.0.1:{peer.port}", "uuid:key")
    action = app("openwhisk", WHISK)
    assert driver.ready(action, platform, 2.0) is None
    peer.answer = lambda request: answer("404 Not Found")
    assert driver.ready(action, platform, 2.0) == "OpenWhisk does not have the action"
    peer.answer = lambda request: answer("500 Internal Server Error")
    with pytest.raises(DriverError):
        driver.ready(action, platform, 2.0)
    assert {request.method for request in peer.requests} == {"GET"}


def cut_off(request: Request) -> bytes | None:
    return None


@pytest.mark.parametrize("behaviour", ["absent", "closes", "garbage", "silent"])
@pytest.mark.parametrize("kind", ["webhook", "openwhisk"])
def test_peers_that_do_not_answer(peer: HttpPeer, kind: str, behaviour: str) -> None:
    port = free_port() if behaviour == "absent" else peer.port
    answers = {"closes": cut_off, "garbage": lambda request: b"\x00\r\n\r\n", "silent": lambda request: b""}
    peer.answer = answers.get(behaviour, lambda request: OK)
    driver: Driver = (WebhookDriver if kind == "webhook" else OpenWhiskDriver)(HttpClient())
    platform = Platform("p1", kind, "http://p1/", f"http://127.0.0.1:{port}/")
    for operation in (driver.deploy, driver.remove):
        with pytest.raises(DriverError):
            operation(app(kind, WHISK), platform, 0.2)


class KubernetesApi:
    """A few resources of an API server, in threads: its client is not made for greenlets.

    It applies as far as the tests go: an applied object has the fields that somebody else owns, and those applied.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str, str]] = []
        self.fail_with: int | None = None
        self.looks_until_gone = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                api.handle(self)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        path, _, query = handler.path.partition("?")
        self.requests.append((handler.command, path, handler.headers.get("Authorization", "")))
        kind = handler.headers.get("Content-Type", "")
        status, value = self._do(handler.command, path, query, kind, json.loads(body) if body else None)
        data = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _do(self, method: str, path: str, query: str, kind: str, body: Any) -> tuple[int, Any]:
        problem = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        if self.fail_with is not None:
            return self.fail_with, problem
        if method == "PATCH" and kind == "application/apply-patch+yaml":
            assert "fieldManager=meo" in query
            return 200, self._applied(path, body)
        if path not in self.objects:
            return 404, problem
        found = self.objects[path]
        if method == "GET":
            if found["metadata"].get("deletionTimestamp"):
                self.looks_until_gone -= 1
                if self.looks_until_gone < 0:
                    del self.objects[path]
                    return 404, problem
            return 200, found
        if method == "DELETE":
            del self.objects[path]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if method == "PUT":
            body["metadata"]["managedFields"] = [{"manager": "meo", "operation": "Update"}]
            self.objects[path] = body
        else:
            assert body == [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
            found["metadata"]["managedFields"] = []
        return 200, self.objects[path]

    def _applied(self, path: str, wanted: Any) -> Any:
        found = self.objects.get(path)
        foreign = (
            [each for each in found["metadata"].get("managedFields", []) if each["operation"] != "Apply"]
            if found
            else []
        )
        if found is not None and foreign:
            wanted = {**wanted, "spec": _merged(found["spec"], wanted["spec"])}
        wanted["metadata"]["managedFields"] = [*foreign, {"manager": "meo", "operation": "Apply"}]
        self.objects[path] = wanted
        return wanted


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and old and isinstance(old[0], dict):
        return [*new, *(each for each in old if each not in new)]
    return new


@pytest.fixture
def kubernetes() -> Iterator[KubernetesApi]:
    api = KubernetesApi()
    yield api
    api.stop()


def test_kubernetes(kubernetes: KubernetesApi) -> None:
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, {"token": "s3cret"})
    game = app("kubernetes", KUBERNETES)
    name = resource_name(game)
    assert name.startswith("meo-my-game-")
    deployment = f"/apis/apps/v1/namespaces/games/deployments/{name}"
    service = f"/api/v1/namespaces/games/services/{name}"
    for _ in range(2):  # may be repeated
        driver.deploy(game, platform, 2.0)
        assert kubernetes.objects.keys() == {deployment, service}
    spec = kubernetes.objects[deployment]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert (spec["replicas"], container["image"], container["args"]) == (2, "game:1", ["-v"])
    assert container["env"] == [{"name": "A", "value": "1"}]
    assert kubernetes.objects[service]["spec"]["ports"] == [{"name": "port-8080", "port": 8080, "targetPort": 8080}]
    assert {token for _, _, token in kubernetes.requests} == {"Bearer s3cret"}
    kubernetes.objects.pop(service)  # half of it is gone already
    for _ in range(2):
        driver.remove(game, platform, 2.0)
        assert kubernetes.objects == {}


def test_kubernetes_is_ready_when_the_deployment_is_available(kubernetes: KubernetesApi) -> None:
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, {"token": "s3cret"})
    game = app("kubernetes", {**KUBERNETES, "serviceType": "LoadBalancer"})
    assert driver.ready(game, platform, 2.0) == "there is no Deployment"
    driver.deploy(game, platform, 2.0)
    deployment, service = paths(game)
    assert driver.ready(game, platform, 2.0) == "0 of 2 replicas are available"
    kubernetes.objects[deployment]["status"] = {"availableReplicas": 2, "updatedReplicas": 2}
    assert driver.ready(game, platform, 2.0) == "the Service has no address of a load balancer yet"
    kubernetes.objects[service]["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert driver.ready(game, platform, 2.0) is None
    given_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "late"}
    kubernetes.objects[deployment]["status"] = {"conditions": [given_up]}
    with pytest.raises(NeverReady, match="ProgressDeadlineExceeded"):
        driver.ready(game, platform, 2.0)
    kubernetes.fail_with = 503
    with pytest.raises(DriverError, match="503"):
        driver.ready(game, platform, 2.0)


def paths(game: App) -> tuple[str, str]:
    name = resource_name(game)
    return f"/apis/apps/v1/namespaces/games/deployments/{name}", f"/api/v1/namespaces/games/services/{name}"


def container_of(kubernetes: KubernetesApi, path: str) -> Any:
    (container,) = kubernetes.objects[path]["spec"]["template"]["spec"]["containers"]
    return container


def test_kubernetes_takes_away_what_a_new_app_no_longer_has(kubernetes: KubernetesApi) -> None:
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, "s3cret")
    game = app("kubernetes", KUBERNETES)
    deployment, service = paths(game)
    driver.deploy(game, platform, 2.0)
    driver.deploy(app("kubernetes", {"image": "game:2", "namespace": "games", "env": {"B": True}}), platform, 2.0)
    assert container_of(kubernetes, deployment) == {
        "name": "app", "image": "game:2", "ports": [], "env": [{"name": "B", "value": "true"}],
    }  # fmt: skip
    assert service not in kubernetes.objects


def test_kubernetes_replaces_what_somebody_else_has_created(kubernetes: KubernetesApi) -> None:
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, "s3cret")
    game = app("kubernetes", KUBERNETES)
    deployment, service = paths(game)
    foreign = [{"manager": "OpenAPI-Generator", "operation": "Update"}]
    old = {"name": "app", "image": "game:0", "env": [{"name": "OLD", "value": "1"}], "args": ["old"]}
    kubernetes.objects[deployment] = {
        "metadata": {"name": "x", "resourceVersion": "7", "managedFields": foreign},
        "spec": {"selector": {"matchLabels": {}}, "template": {"spec": {"containers": [old]}}},
    }
    kubernetes.objects[service] = {
        "metadata": {"name": "x", "resourceVersion": "8", "managedFields": foreign},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 1}]},
    }
    KubernetesDriver().deploy(game, platform, 2.0)
    assert container_of(kubernetes, deployment)["env"] == [{"name": "A", "value": "1"}]
    assert container_of(kubernetes, deployment)["args"] == ["-v"]
    assert [port["port"] for port in kubernetes.objects[service]["spec"]["ports"]] == [8080]


def test_kubernetes_waits_for_a_service_that_is_being_deleted(kubernetes: KubernetesApi) -> None:
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, "s3cret")
    game = app("kubernetes", KUBERNETES)
    _, service = paths(game)
    leaving = {"metadata": {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"ports": [{"port": 1}]}}
    kubernetes.objects[service], kubernetes.looks_until_gone = leaving, 3
    KubernetesDriver().deploy(game, platform, 5.0)
    assert "deletionTimestamp" not in kubernetes.objects[service]["metadata"]
    kubernetes.objects[service], kubernetes.looks_until_gone = leaving, 1000
    with pytest.raises(DriverError, match="is still being deleted"):
        KubernetesDriver().deploy(game, platform, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"env": {"A": {"value": 1}}},
        {"env": {"A": None}},
        {"env": {"A=B": "1"}},
        {"env": {"1A": "1"}},
        {"ports": [80, 80]},
        {"ports": [True]},
        {"args": [1]},
        {"replicas": -1},
        {"serviceType": "Cluster"},
    ],
)
def test_kubernetes_refuses_at_registration_what_cannot_be_deployed(wrong: dict[str, Any]) -> None:
    assert KubernetesDriver().check({"image": "game:1", **wrong}) is not None
    assert KubernetesDriver().check({"image": "game:1", "env": {"A": 1.5, "B": True, "C.d": "x"}}) is None


@pytest.mark.parametrize("status", ["409 Conflict", "429 Too Many Requests"])
def test_openwhisk_that_is_busy_is_asked_again(peer: HttpPeer, status: str) -> None:
    answers = iter([status, status, "200 OK", "404 Not Found", *[status] * 10])
    peer.answer = lambda request: answer(next(answers))
    platform = Platform("p1", "openwhisk", "http://p1/", f"http://127.0.0.1:{peer.port}", "uuid:key")
    driver = OpenWhiskDriver(HttpClient())
    driver.deploy(app("openwhisk", WHISK), platform, 5.0)
    driver.remove(app("openwhisk", WHISK), platform, 5.0)
    with pytest.raises(DriverError, match=f"PUT answered with {status[:3]}"):
        driver.deploy(app("openwhisk", WHISK), platform, 5.0)
    assert len(peer.requests) == 8


def test_kubernetes_without_ports_has_no_service(kubernetes: KubernetesApi) -> None:
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, "s3cret")
    driver.deploy(app("kubernetes", {"image": "game:1"}), platform, 2.0)
    (path,) = kubernetes.objects
    assert path.startswith("/apis/apps/v1/namespaces/default/deployments/")


@pytest.mark.parametrize("status", [401, 403, 422, 500, 503])
def test_kubernetes_refuses(kubernetes: KubernetesApi, status: int) -> None:
    kubernetes.fail_with = status
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", kubernetes.url, {"token": "s3cret"})
    for operation in (driver.deploy, driver.remove):
        with pytest.raises(DriverError, match=f"Kubernetes answered {status}") as caught:
            operation(app("kubernetes", KUBERNETES), platform, 2.0)
        assert "s3cret" not in str(caught.value)


def test_kubernetes_with_a_kubeconfig(kubernetes: KubernetesApi) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": kubernetes.url}}],
        "users": [{"name": "u", "user": {"token": "from-config"}}],
    }
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", "", {"kubeconfig": config})
    assert driver.check_platform(platform) is None
    driver.deploy(app("kubernetes", KUBERNETES), platform, 2.0)
    assert {token for _, _, token in kubernetes.requests} == {"Bearer from-config"}
    broken = Platform("p1", "kubernetes", "http://p1/", "", {"kubeconfig": {**config, "current-context": "none"}})
    with pytest.raises(DriverError):
        driver.deploy(app("kubernetes", KUBERNETES), broken, 2.0)


def test_kubernetes_unreachable() -> None:
    driver = KubernetesDriver()
    platform = Platform("p1", "kubernetes", "http://p1/", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DriverError, match="Kubernetes API at"):
        driver.deploy(app("kubernetes", KUBERNETES), platform, 1.0)


def test_deploy_info_is_checked() -> None:
    kubernetes, openwhisk = KubernetesDriver(), OpenWhiskDriver(HttpClient())
    assert kubernetes.check(KUBERNETES) is None
    assert openwhisk.check(WHISK) is None
    for wrong in (None, "image", {}, {"image": ""}, {"image": 5}, {"image": "a", "ports": [0]}, {"image": "a", "x": 1}):
        assert kubernetes.check(wrong)
    for wrong in (None, {}, {"exec": {}}, {"exec": {"kind": 1}}):
        assert openwhisk.check(wrong)
    for driver in (kubernetes, openwhisk, WebhookDriver(HttpClient())):
        assert driver.check_platform(Platform("p", "t", "a", "not a url"))
        assert driver.check_platform(Platform("p", "t", "a", "http://m/")) is None


PATCHED = """
from gevent import monkey; monkey.patch_all()
import sys, time, gevent
from gevent import socket
from mec.meo.drivers.base import DriverError
from mec.meo.drivers.kubernetes import KubernetesDriver
from mec.meo.drivers.registry import drivers
from mec.meo.model import App, AppInfo, Platform, Support
silent = socket.socket(); silent.bind(("127.0.0.1", 0)); silent.listen()
platform = Platform("p", "kubernetes", "http://p/", f"http://127.0.0.1:{silent.getsockname()[1]}")
app = App(AppInfo("d", "n", "p", "1", "1"), (Support("kubernetes", deploy_info={"image": "i"}),))
turns, longest, last = 0, 0.0, time.monotonic()
def watch():
    global turns, longest, last
    while True:
        gevent.sleep(0.001)
        now = time.monotonic()
        turns, longest, last = turns + 1, max(longest, now - last), now
watcher = gevent.spawn(watch)
began = time.monotonic()
try:
    KubernetesDriver().deploy(app, platform, 1.0)
except DriverError as exc:
    print(turns, longest, time.monotonic() - began, exc)
"""


def test_the_event_loop_turns_while_the_kubernetes_client_loads_and_waits() -> None:
    done = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60, check=True)
    turns, longest, took, *_ = done.stdout.split()
    assert float(took) < 10
    assert int(turns) > 100
    assert float(longest) < float(took) / 3, done.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_platforms_at_refused_addresses_are_not_connected_to(kubernetes: KubernetesApi, host: str) -> None:
    outbound = Outbound(OutboundRules(deny=("127.0.0.0/8", "::1")))
    url = kubernetes.url.replace("127.0.0.1", host)
    every = drivers(HttpClient(outbound=outbound), outbound)
    infos = {"kubernetes": KUBERNETES, "openwhisk": WHISK, "webhook": {}}
    for name, info in infos.items():
        for operation in (every[name].deploy, every[name].remove):
            with pytest.raises(DriverError, match=r"is refused: outbound\.deny has"):
                operation(app(name, info), Platform("p1", name, "http://p1/", url), 2.0)
    secure = Platform("p1", "kubernetes", "http://p1/", url.replace("http:", "https:"))
    with pytest.raises(DriverError, match=r"is refused: outbound\.deny has"):
        every["kubernetes"].deploy(app("kubernetes", KUBERNETES), secure, 2.0)
    assert outbound.refused == 7
    assert kubernetes.requests == []


HOSTILE = """
from gevent import monkey; monkey.patch_all()
import itertools, sys, time, gevent
from gevent import socket
from gevent.server import StreamServer
from mec.meo.drivers.base import DriverError
from mec.meo.drivers.kubernetes import KubernetesDriver
from mec.meo.model import App, AppInfo, Platform, Support
scripts = {
    "body": (b"HTTP/1.1 200 OK\\r\\n\\r\\n", b"x" * 65536, 0),
    "chunks": (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n", b"1\\r\\nx\\r\\n" * 10000, 0),
    "trailers": (b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n", b"a: b\\r\\n" * 10000, 0),
    "interim": (b"", b"HTTP/1.1 100 Continue\\r\\n\\r\\n" * 2000, 0),
    "drip": (b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\n", b"x", 0.1),
    "redirect": (b"HTTP/1.1 307 X\\r\\nLocation: /elsewhere\\r\\nContent-Length: 0\\r\\n\\r\\n", b"", 5),
}
first, again, pause = scripts[sys.argv[1]]
requests = []
def talk(sock, address):
    try:
        while data := sock.recv(65536):
            if data.startswith(b"GET"):
                requests.append(data)
                break
        sock.sendall(first)
        while True:
            sock.sendall(again)
            gevent.sleep(pause or 0.00001)
    except OSError:
        pass
server = StreamServer(("127.0.0.1", 0), talk); server.start()
platform = Platform("p", "kubernetes", "http://p/", f"http://127.0.0.1:{server.server_port}")
app = App(AppInfo("d", "n", "p", "1", "1"), (Support("kubernetes", deploy_info={"image": "i"}),))
driver = KubernetesDriver()
driver._client = __import__("kubernetes.client").client
longest, last = 0.0, time.thread_time()
def watch():
    global longest, last
    while True:
        gevent.sleep(0.0005)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
watcher = gevent.spawn(watch)
gevent.sleep(0.01)
longest = 0.0
began = time.monotonic()
try:
    driver.deploy(app, platform, 1.0)
except DriverError as exc:
    print(longest, time.monotonic() - began, len(requests), exc)
"""


@pytest.mark.parametrize("script", ["body", "chunks", "trailers", "interim", "drip", "redirect"])
def test_a_hostile_kubernetes_api_holds_up_nobody(script: str) -> None:
    command = [sys.executable, "-c", HOSTILE, script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    longest, took, requests, *_ = done.stdout.split()
    assert float(longest) < 0.1
    assert float(took) < 8
    assert requests == "1"
