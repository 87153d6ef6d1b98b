# SPDX-License-Identifier: Apache-2.0
"""For Kubernetes: the application is a Deployment and, when it has ports, a Service of the same name.

`deployInfo`: `image`, and optionally `namespace` ("default"), `replicas` (1), `ports` (list of numbers), `env`
(mapping), `command` and `args` (lists), `resources` (as in a container), `serviceType` ("ClusterIP").
`endpointMgmt` is the URL of the API server. `credentials`: a token (as a string or `{"token", "caFile"}`),
`{"username", "password"}`, `{"kubeconfig": {...}}` (the file's content), or `{"inCluster": true}`.

The official client blocks as sockets do: the process must be patched by gevent.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from urllib3.exceptions import HTTPError

from mec.meo.drivers.base import DriverError, deploy_info, needs_http_endpoint, resource_name
from mec.meo.drivers.urllib3_connections import connect_by
from mec.meo.model import App, Platform
from submgr.platform.native_threads import in_thread
from submgr.platform.outbound_rules import Outbound, Refused

_LABEL = "meo-app"


class KubernetesDriver:
    """Deploys and removes through the Kubernetes API. `outbound`: the rules for the addresses of API servers."""

    def __init__(self, outbound: Outbound | None = None) -> None:
        self._outbound = outbound or Outbound()
        self._client: Any = None

    def check(self, deploy_info: Any) -> str | None:
        kinds: Mapping[str, tuple[type | tuple[type, ...], str]] = {
            "image": (str, "a string"),
            "namespace": (str, "a string"),
            "replicas": (int, "a whole number"),
            "ports": (list, "a list of port numbers"),
            "env": (Mapping, "an object"),
            "command": (list, "a list of strings"),
            "args": (list, "a list of strings"),
            "resources": (Mapping, "an object"),
            "serviceType": (str, "a string"),
        }
        if not isinstance(deploy_info, Mapping) or not deploy_info.get("image"):
            return "a Kubernetes deployment needs an image"
        for name, value in deploy_info.items():
            if name not in kinds:
                return f"{name} is not known to the Kubernetes driver, only {', '.join(kinds)}"
            if not isinstance(value, kinds[name][0]) or isinstance(value, bool):
                return f"{name} must be {kinds[name][1]}"
        if not all(type(port) is int and 0 < port < 65536 for port in deploy_info.get("ports", [])):
            return "ports must be a list of port numbers"
        return None

    def check_platform(self, platform: Platform) -> str | None:
        credentials = platform.credentials
        if isinstance(credentials, Mapping) and (credentials.get("kubeconfig") or credentials.get("inCluster")):
            return None
        return needs_http_endpoint(platform)

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        info = deploy_info(app, platform)
        name, namespace = resource_name(app), info.get("namespace", "default")
        with self._api(platform) as (client, connection):
            apps, core = client.AppsV1Api(connection), client.CoreV1Api(connection)
            limits = {"_request_timeout": (timeout / 2, timeout / 2)}
            _create_or_patch(
                client,
                lambda: apps.create_namespaced_deployment(namespace, _deployment(name, app, info), **limits),
                lambda: apps.patch_namespaced_deployment(name, namespace, _deployment(name, app, info), **limits),
            )
            if info.get("ports"):
                _create_or_patch(
                    client,
                    lambda: core.create_namespaced_service(namespace, _service(name, info), **limits),
                    lambda: core.patch_namespaced_service(name, namespace, _service(name, info), **limits),
                )

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        info = deploy_info(app, platform)
        name, namespace = resource_name(app), info.get("namespace", "default")
        with self._api(platform) as (client, connection):
            limits = {"_request_timeout": (timeout / 2, timeout / 2)}
            core, apps = client.CoreV1Api(connection), client.AppsV1Api(connection)
            _unless_gone(client, lambda: core.delete_namespaced_service(name, namespace, **limits))
            # its pods go with it, which need not be waited for
            how = {"propagation_policy": "Background", **limits}
            _unless_gone(client, lambda: apps.delete_namespaced_deployment(name, namespace, **how))

    @contextlib.contextmanager
    def _api(self, platform: Platform) -> Iterator[tuple[Any, Any]]:
        """The client's module and a connection; what it raises becomes DriverError."""
        if self._client is None:
            self._client = _load_client()
        client = self._client
        config_error = import_module("kubernetes.config").ConfigException
        try:
            with _connection(client, platform) as connection:
                connect_by(connection.rest_client.pool_manager, self._outbound.permitted)
                yield client, connection
        except client.ApiException as exc:
            raise DriverError(f"Kubernetes answered {exc.status} {exc.reason}") from exc
        except HTTPError as exc:
            why = exc.__cause__ if isinstance(exc.__cause__, Refused) else type(exc).__name__
            raise DriverError(f"Kubernetes API at {platform.endpoint_mgmt}: {why}") from exc
        except config_error as exc:
            raise DriverError(f"Kubernetes configuration: {exc}") from exc
        except (OSError, ValueError, TypeError) as exc:
            # the client's models refuse what the API would refuse
            raise DriverError(f"Kubernetes client: {exc}") from exc


def _load_client() -> Any:
    """Hundreds of modules: in a thread, for the event loop must go on."""
    return in_thread(_import_client)


def _import_client() -> Any:
    import_module("kubernetes.config")
    return import_module("kubernetes.client")


def _connection(client: Any, platform: Platform) -> Any:
    credentials = platform.credentials
    configuration = client.Configuration()
    configuration.host = platform.endpoint_mgmt.rstrip("/")
    if isinstance(credentials, str) and credentials:
        configuration.api_key = {"authorization": f"Bearer {credentials}"}
    elif isinstance(credentials, Mapping):
        _configure(configuration, credentials)
    configuration.proxy = None
    configuration.retries = False
    return client.ApiClient(configuration)


def _configure(configuration: Any, credentials: Mapping[str, Any]) -> None:
    config = import_module("kubernetes.config")
    if kubeconfig := credentials.get("kubeconfig"):
        config.load_kube_config_from_dict(kubeconfig, client_configuration=configuration, persist_config=False)
    elif credentials.get("inCluster"):
        config.load_incluster_config(client_configuration=configuration)
    if token := credentials.get("token"):
        configuration.api_key = {"authorization": f"Bearer {token}"}
    if username := credentials.get("username"):
        configuration.username, configuration.password = username, credentials.get("password", "")
    if ca := credentials.get("caFile"):
        configuration.ssl_ca_cert = ca


def _create_or_patch(client: Any, create: Callable[[], Any], patch: Callable[[], Any]) -> None:
    try:
        create()
    except client.ApiException as exc:
        if exc.status != 409:
            raise
        patch()


def _unless_gone(client: Any, delete: Callable[[], Any]) -> None:
    try:
        delete()
    except client.ApiException as exc:
        if exc.status != 404:
            raise


def _deployment(name: str, app: App, info: Mapping[str, Any]) -> dict[str, Any]:
    ports = [{"containerPort": port} for port in info.get("ports", [])]
    env = [{"name": str(key), "value": str(value)} for key, value in info.get("env", {}).items()]
    container = {"name": "app", "image": info["image"], "ports": ports, "env": env}
    container |= {key: info[key] for key in ("command", "args", "resources") if key in info}
    labels = {_LABEL: name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels, "annotations": {"meo/app-key": app.key}},
        "spec": {
            "replicas": info.get("replicas", 1),
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def _service(name: str, info: Mapping[str, Any]) -> dict[str, Any]:
    ports = [{"name": f"port-{port}", "port": port, "targetPort": port} for port in info["ports"]]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {_LABEL: name}},
        "spec": {"type": info.get("serviceType", "ClusterIP"), "selector": {_LABEL: name}, "ports": ports},
    }
