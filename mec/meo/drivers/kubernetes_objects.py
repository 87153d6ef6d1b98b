# SPDX-License-Identifier: Apache-2.0
"""The Deployment and the Service of an application: how they are to be, and whether they are available."""

from collections.abc import Mapping
from typing import Any

from mec.meo.drivers.base import NeverReady
from mec.meo.model import App

LABEL = "meo-app"


def deployment_object(name: str, app: App, info: Mapping[str, Any]) -> dict[str, Any]:
    """The Deployment of an application."""
    ports = [{"containerPort": port} for port in info.get("ports", [])]
    env = [{"name": key, "value": _text(value)} for key, value in info.get("env", {}).items()]
    container = {"name": "app", "image": info["image"], "ports": ports, "env": env}
    container |= {key: info[key] for key in ("command", "args", "resources") if key in info}
    labels = {LABEL: name}
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


def _text(value: str | float) -> str:
    """As YAML and JSON write it: true, not True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def service_object(name: str, info: Mapping[str, Any]) -> dict[str, Any]:
    """The Service of an application that has ports."""
    ports = [{"name": f"port-{port}", "port": port, "targetPort": port} for port in info["ports"]]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": {LABEL: name}},
        "spec": {"type": info.get("serviceType", "ClusterIP"), "selector": {LABEL: name}, "ports": ports},
    }


def deployment_waits(found: Any) -> str | None:
    """Why a Deployment is not available yet; None when all of its replicas are. Raises NeverReady."""
    wanted = _whole(_part(found, "spec").get("replicas"), 1)
    status, trouble = _part(found, "status"), ""
    for condition in status.get("conditions") or ():
        if not isinstance(condition, Mapping):
            continue
        words = f"{condition.get('reason')}: {condition.get('message')}"[:500]
        if (condition.get("type"), condition.get("status")) == ("Progressing", "False"):
            raise NeverReady(words)
        if (condition.get("type"), condition.get("status")) == ("ReplicaFailure", "True"):
            trouble = f", {words}"  # such as a quota, which may change
    if _whole(status.get("observedGeneration"), 0) < _whole(_part(found, "metadata").get("generation"), 0):
        return "Kubernetes has not looked at the Deployment yet"
    available = min(_whole(status.get("availableReplicas"), 0), _whole(status.get("updatedReplicas"), 0))
    return None if available >= wanted else f"{available} of {wanted} replicas are available{trouble}"


def service_waits(found: Any) -> str | None:
    """Why a Service cannot be used yet; None when it can."""
    if _part(found, "spec").get("type") != "LoadBalancer" or _part(_part(found, "status"), "loadBalancer").get(
        "ingress"
    ):
        return None
    return "the Service has no address of a load balancer yet"


def _part(found: Any, name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any, otherwise: int) -> int:
    return value if type(value) is int else otherwise
