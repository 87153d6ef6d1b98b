# SPDX-License-Identifier: Apache-2.0
"""For Kubernetes: the application is a Deployment and, when it has ports, a Service of the same name.

`deployInfo`: `image`, and optionally `namespace` ("default"), `replicas` (1), `ports` (list of numbers), `env`
(mapping), `command` and `args` (lists), `resources` (as in a container), `serviceType` ("ClusterIP").
`endpointMgmt` is the URL of the API server. `credentials`: a token (as a string or `{"token", "caFile"}`),
`{"username", "password"}`, `{"kubeconfig": {...}}` (the file's content), or `{"inCluster": true}`.

Both are applied by the server for a field manager of this driver's own, so that whatever a new deployInfo leaves out
is gone. The official client blocks as sockets do: the process must be patched by gevent.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import quote

import gevent
from gevent.lock import BoundedSemaphore
from urllib3.exceptions import HTTPError

from mec.meo.drivers.base import DriverError, deploy_info, needs_http_endpoint, resource_name
from mec.meo.drivers.kubernetes_objects import deployment_object, deployment_waits, service_object, service_waits
from mec.meo.drivers.urllib3_connections import connect_by
from mec.meo.model import App, Platform
from submgr.platform.http.callback_mark import MARK
from submgr.platform.native_threads import in_thread
from submgr.platform.outbound_rules import Outbound, Refused

_MANAGER = "meo"
_APPLY = "application/apply-patch+yaml"
_GIVEN_BY_THE_CLUSTER = ("clusterIP", "clusterIPs")
_LOOK_AGAIN = 0.1
"""Seconds between two looks whether an object that is being deleted is gone."""
_VARIABLE = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*\Z")
_SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer")


class KubernetesDriver:
    """Deploys and removes through the Kubernetes API. `outbound`: the rules for the addresses of API servers."""

    def __init__(self, outbound: Outbound | None = None) -> None:
        self._outbound = outbound or Outbound()
        self._client: Any = None
        self._loading = BoundedSemaphore()

    def check(self, deploy_info: Any) -> str | None:
        self._load_soon()
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
        return _mistake_in_values(deploy_info)

    def check_platform(self, platform: Platform) -> str | None:
        self._load_soon()
        credentials = platform.credentials
        if isinstance(credentials, Mapping) and (credentials.get("kubeconfig") or credentials.get("inCluster")):
            return None
        return needs_http_endpoint(platform)

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        info, name, end = deploy_info(app, platform), resource_name(app), time.monotonic() + timeout
        with self._api(platform, timeout) as (client, connection):
            deployment, service = _objects(client, connection, name, info, timeout)
            deployment.apply(deployment_object(name, app, info), end)
            if info.get("ports"):
                service.apply(service_object(name, info), end)
            else:
                service.delete()

    def ready(self, app: App, platform: Platform, timeout: float) -> str | None:
        info, end = deploy_info(app, platform), time.monotonic() + timeout
        with self._api(platform, timeout) as (client, connection):
            deployment, service = _objects(client, connection, resource_name(app), info, timeout)
            found = deployment.found(end)
            why = "there is no Deployment" if found is None else deployment_waits(found)
            if why is None and info.get("ports"):
                found = service.found(end)
                why = "there is no Service" if found is None else service_waits(found)
            return why

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        with self._api(platform, timeout) as (client, connection):
            deployment, service = _objects(client, connection, resource_name(app), deploy_info(app, platform), timeout)
            service.delete()
            deployment.delete()

    @contextlib.contextmanager
    def _api(self, platform: Platform, timeout: float) -> Iterator[tuple[Any, Any]]:
        """The client's module and a connection; what it raises becomes DriverError.

        All requests on it have twice the time of one: the client's own limits are for each byte that it waits for.
        """
        client = self._load()
        config_error = import_module("kubernetes.config").ConfigException
        late = DriverError(f"Kubernetes API at {platform.endpoint_mgmt}: not done within {2 * timeout:g} s")
        try:
            with gevent.Timeout(2 * timeout, late), _connection(client, platform) as connection:
                connection.set_default_header(MARK, "1")
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

    def _load_soon(self) -> None:
        """Begins to load the client: that takes longer than the first deployment may."""
        if self._client is None:
            gevent.spawn(self._load)

    def _load(self) -> Any:
        """The client's module. It has hundreds of parts: loaded in a thread, for the event loop must go on."""
        with self._loading:
            if self._client is None:
                self._client = in_thread(_import_client)
        return self._client


class _Object:
    """A Deployment or Service at the API server."""

    def __init__(self, client: Any, connection: Any, path: str, timeout: float) -> None:
        self._client = client
        self._connection = connection
        self._path = path
        self._timeout = timeout

    def apply(self, wanted: dict[str, Any], end: float) -> None:
        """Has the server bring the object to what is wanted. Waits until `end` for one that is being deleted.

        An object that somebody else has created is replaced first, and its fields are nobody's then: those that are
        not wanted would stay for ever, since only their manager can give them up.
        """
        found = self.found(end)
        if found is not None and not _is_ours(found):
            metadata = {**wanted["metadata"], "resourceVersion": found["metadata"].get("resourceVersion")}
            kept = {name: found["spec"][name] for name in _GIVEN_BY_THE_CLUSTER if name in found.get("spec", {})}
            new = {**wanted, "metadata": metadata, "spec": wanted["spec"] | kept}
            self._call("PUT", new, "application/json", {"fieldManager": _MANAGER})
            nobodys = [{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]
            self._call("PATCH", nobodys, "application/json-patch+json")
        self._call("PATCH", wanted, _APPLY, {"fieldManager": _MANAGER, "force": "true"})

    def delete(self) -> None:
        """Has the server delete the object, which need not be there; its pods go with it, which is not waited for."""
        try:
            self._call("DELETE", {"propagationPolicy": "Background"}, "application/json")
        except self._client.ApiException as exc:
            if exc.status != 404:
                raise

    def found(self, end: float) -> Any:
        """The object as it is, None when there is none. Raises DriverError when it is still being deleted at `end`."""
        while True:
            try:
                found = self._call("GET")
            except self._client.ApiException as exc:
                if exc.status == 404:
                    return None
                raise
            if not found["metadata"].get("deletionTimestamp"):
                return found
            if time.monotonic() + _LOOK_AGAIN > end:
                raise DriverError("what was there before is still being deleted")
            gevent.sleep(_LOOK_AGAIN)

    def _call(self, method: str, body: Any = None, kind: str = "", query: Mapping[str, str] | None = None) -> Any:
        """The methods of the client's API classes can choose neither the kind of a patch nor hand out plain objects."""
        headers = {"Accept": "application/json", **({"Content-Type": kind} if kind else {})}
        answer = self._connection.call_api(
            self._path,
            method,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            response_type="object",
            auth_settings=["BearerToken"],
            _return_http_data_only=True,
            _request_timeout=(self._timeout / 2, self._timeout / 2),
        )
        if not isinstance(answer, Mapping) or not isinstance(answer.get("metadata", {}), Mapping):
            raise DriverError("Kubernetes answered with something that is no object")
        return answer


def _objects(
    client: Any, connection: Any, name: str, info: Mapping[str, Any], timeout: float
) -> tuple[_Object, _Object]:
    """The Deployment and the Service of an application."""
    namespace = quote(info.get("namespace", "default"), safe="")
    return (
        _Object(client, connection, f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}", timeout),
        _Object(client, connection, f"/api/v1/namespaces/{namespace}/services/{name}", timeout),
    )


def _is_ours(found: Mapping[str, Any]) -> bool:
    managers = found["metadata"].get("managedFields") or ()
    return any(each.get("manager") == _MANAGER and each.get("operation") == "Apply" for each in managers)


def _mistake_in_values(info: Mapping[str, Any]) -> str | None:
    ports = info.get("ports", [])
    if not all(type(port) is int and 0 < port < 65536 for port in ports):
        return "ports must be a list of port numbers"
    if len(set(ports)) != len(ports):
        return "ports must not have the same number twice"
    for name, value in info.get("env", {}).items():
        if not isinstance(name, str) or not _VARIABLE.match(name):
            return f"env: {name!r} is no name of an environment variable"
        if not isinstance(value, str | int | float):
            return f"env: {name} must be a string, a number or a boolean"
    for name in ("command", "args"):
        if not all(isinstance(word, str) for word in info.get(name, [])):
            return f"{name} must be a list of strings"
    if info.get("replicas", 1) < 0:
        return "replicas must not be negative"
    if info.get("serviceType", "ClusterIP") not in _SERVICE_TYPES:
        return f"serviceType must be one of {', '.join(_SERVICE_TYPES)}"
    return None


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
