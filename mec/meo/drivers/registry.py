# SPDX-License-Identifier: Apache-2.0
"""The drivers by name."""

from collections.abc import Mapping

from mec.meo.drivers.base import Driver
from mec.meo.drivers.kubernetes import KubernetesDriver
from mec.meo.drivers.noop import NoopDriver
from mec.meo.drivers.openwhisk import OpenWhiskDriver
from mec.meo.drivers.webhook import WebhookDriver
from submgr.platform.http.client import HttpClient
from submgr.platform.outbound_rules import Outbound


def drivers(client: HttpClient, outbound: Outbound) -> Mapping[str, Driver]:
    """One driver of each name. Those that speak HTTP use `client`, the one of Kubernetes a client of its own."""
    return {
        "noop": NoopDriver(),
        "webhook": WebhookDriver(client),
        "kubernetes": KubernetesDriver(outbound),
        "openwhisk": OpenWhiskDriver(client),
    }
