# SPDX-License-Identifier: Apache-2.0
"""A daemon with all its listeners, which is attacked and watched."""

from __future__ import annotations

from typing import Any, cast

from support.hostile.http_out import Liar
from support.hostile.ordeal import Attack, endure, http_probe, rmr_probe, takes, xapp_probe
from support.hostile.redis import Relay
from support.ports import free_port
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.waiting import eventually


class Site:
    """`submgr run` with the MEC services. `with Neighbourhood() as around, Site(around) as site:`"""

    def __init__(self, around: Neighbourhood, environment: dict[str, str] | None = None, **sections: Any) -> None:
        self.around = around
        self.mec_port = free_port()
        sections["mec"] = {"enabled": True, "host": f"127.0.0.1:{self.mec_port}", **sections.get("mec", {})}
        if around.redis is None:
            sections.setdefault("sdl", {"backend": "memory"})
        # its memory is measured: it is to share none with a process that it was forked from
        self.daemon = Daemon(around, environment, ("-m", "submgr"), **sections)
        self.before: dict[str, int] = {}
        self.more_probes: list[dict[str, Any]] = []
        self.liars: dict[str, Liar] = {}
        self.relay: Relay | None = None
        self.ports = {
            "xapp": self.daemon.xapp_port,
            "platform": self.daemon.platform_port,
            "mec": self.mec_port,
            "rmr": self.daemon.rmr_port,
        }

    def __enter__(self) -> Site:
        self.daemon.start()
        eventually(lambda: self.daemon.call(self.mec_port, "GET", "/health/ready")[0] == 200)
        self.works()
        self.before = takes(self.daemon.process.pid, self.probes)
        return self

    def __exit__(self, *raised: Any) -> None:
        self.daemon.__exit__(*raised)

    @property
    def probes(self) -> list[dict[str, Any]]:
        """The other clients: an xApp, the kubelet, a device application, an RMR peer."""
        return [
            http_probe("8088", self.ports["xapp"], "/ric/v1/subscriptions/unknown", "DELETE", 204),
            http_probe("8080", self.ports["platform"], "/ric/v1/health/alive"),
            http_probe("8000", self.ports["mec"], "/dev_app/v1/app_list"),
            rmr_probe(self.ports["rmr"]),
            xapp_probe(self.ports["xapp"], self.around.request("gnb_2", detail(1, cast(Any, ["@", "@", "@"])))),
            *self.more_probes,
        ]

    def endure(self, attack: Attack) -> None:
        """The daemon is attacked; its other clients must not notice, and it must be well afterwards."""
        endure(attack, self.daemon.process.pid, self)
        self.clean()
        self.works()

    def clean(self) -> None:
        """What the xApp has subscribed meanwhile is deleted again."""
        token = {"Authorization": "Bearer the-debug-token"}
        status, _ = self.daemon.platform("DELETE", "delete_all_e2node_subscriptions/gnb_2", **token)
        assert status == 200

    def works(self) -> None:
        """It is alive and ready, and an xApp subscribes, is notified and unsubscribes."""
        daemon, around = self.daemon, self.around
        assert daemon.process.poll() is None, "the daemon has ended"
        eventually(daemon.is_ready, what="readiness")
        assert daemon.platform("GET", "health/alive")[0] == 200
        told = len(around.xapp.notifications)
        subscription = daemon.subscribe(around.request("gnb_2", detail(1, [9, 9, 9])))
        eventually(lambda: len(around.xapp.notifications) > told, what="a notification")
        daemon.unsubscribe(subscription)
        eventually(lambda: subscription not in daemon.rests(), what="the delete")

    def asked(self, *paths: str) -> list[str]:
        """The lines of a log at debug level that show requests for these paths."""
        lines = self.daemon.log_file.read_text(errors="replace").splitlines()
        return [line for line in lines if any(f"{path} HTTP/1.1" in line for path in paths)]
