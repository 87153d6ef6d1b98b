# SPDX-License-Identifier: Apache-2.0
"""When a Deployment and a Service of Kubernetes can be used."""

from typing import Any

import pytest

from mec.meo.drivers.base import NeverReady
from mec.meo.drivers.kubernetes_objects import deployment_waits, service_waits


def deployment(replicas: int | None = 2, generation: int = 1, **status: Any) -> dict[str, Any]:
    spec = {} if replicas is None else {"replicas": replicas}
    return {"metadata": {"generation": generation}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (deployment(observedGeneration=1, availableReplicas=2, updatedReplicas=2), None),
        (deployment(None, observedGeneration=1, availableReplicas=1, updatedReplicas=1), None),
        (deployment(0, observedGeneration=1), None),
        (deployment(observedGeneration=1, availableReplicas=1, updatedReplicas=2), "1 of 2 replicas are available"),
        (deployment(observedGeneration=1, availableReplicas=2, updatedReplicas=1), "1 of 2 replicas are available"),
        (deployment(generation=2, observedGeneration=1, availableReplicas=2, updatedReplicas=2), "has not looked"),
        ({"spec": {}}, "0 of 1 replicas are available"),
        ({"spec": None, "status": []}, "0 of 1 replicas are available"),
        (
            deployment(conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "Q", "message": "quota"}]),
            "has not looked",
        ),
        (
            deployment(
                observedGeneration=1,
                conditions=["?", {"type": "ReplicaFailure", "status": "True", "reason": "Q", "message": "quota"}],
            ),
            "0 of 2 replicas are available, Q: quota",
        ),
    ],
)
def test_deployment(found: dict[str, Any], why: str | None) -> None:
    waits = deployment_waits(found)
    assert waits is None if why is None else why in str(waits)


def test_a_deployment_that_kubernetes_has_given_up() -> None:
    condition = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "m"}
    with pytest.raises(NeverReady, match="ProgressDeadlineExceeded: m"):
        deployment_waits(deployment(conditions=[condition]))


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        ({"spec": {"type": "ClusterIP"}}, True),
        ({"spec": {"type": "NodePort"}, "status": {}}, True),
        ({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}, False),
        ({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}, True),
    ],
)
def test_service(found: dict[str, Any], ready: bool) -> None:
    assert (service_waits(found) is None) == ready
