# SPDX-License-Identifier: Apache-2.0
"""The neighbours of a stand-alone run: simulated, but behind real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from msgspec import Struct

from submgr.adapters.rnib.connection_state import LocalNodeState
from submgr.adapters.rnib.messages import ConnectionState
from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.platform.late_imports import import_beside
from submgr.rest.edge import Edge
from submgr.rmr.routing.reader import parse_routes
from submgr.rmr.routing.table import RouteTable
from submgr.simulators.e2term import E2TermConfig, E2TermSimulator
from submgr.simulators.kpm_reports import KPM, functions
from submgr.simulators.nodes import NodeState
from submgr.simulators.rtmgr import RoutingManagerSimulator
from submgr.simulators.xapp import XappConfig, XappSimulator

NODES = ("gnb_208_092_000001", "gnb_208_092_000002", "enb_208_092_000003")
_EVERY_SECOND = bytes.fromhex("0803e7")
_THROUGHPUT = bytes.fromhex("00010100000000a04452422e5545546870446c012000004003e7")
"""KPM: a report every 1000 ms; style 1 format 1, DRB.UEThpDl every 1000 ms."""
CONNECTION_STATES = {
    NodeState.CONNECTED: ConnectionState.CONNECTED,
    NodeState.DISCONNECTED: ConnectionState.DISCONNECTED,
    NodeState.UNDER_RESET: ConnectionState.UNDER_RESET,
}


class TcpPorts(Struct, frozen=True):
    """The TCP ports of all listeners of a stand-alone run, all on 127.0.0.1. 0 picks a free port.

    Those that are named are below 32768: from there on Linux takes ports for outgoing connections.
    """

    xapp: int = 8088
    platform: int = 8080
    rmr: int = 4560
    e2term: int = 0
    e2term_control: int = 20010
    rtmgr: int = 20020
    xapp_simulator: int = 20030
    xapp_simulator_rmr: int = 20031

    @classmethod
    def free(cls) -> TcpPorts:
        """Free ports. The port of RMR is picked here, since it is part of our RMR name; the others when they listen."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(0, 0, probe.getsockname()[1], 0, 0, 0, 0, 0)


class Demo(Protocol):
    """A demonstration that runs beside the daemon. `lines` introduce it to the user."""

    @property
    def lines(self) -> list[str]: ...

    def stop(self) -> None: ...


class Neighbours:
    """The simulators: an E2 Termination with three connected E2 nodes, a Routing Manager, and an xApp.

    The E2 Termination sets the states of the E2 nodes in `nodes`, which takes the place of R-NIB. `edge`: the
    demonstrations, for the console.
    """

    def __init__(self, ports: TcpPorts) -> None:
        self.nodes = LocalNodeState()
        self.edge = Edge()
        config = E2TermConfig(port=ports.e2term, control=f"127.0.0.1:{ports.e2term_control}", nodes=NODES)
        self.rtmgr = RoutingManagerSimulator(f"127.0.0.1:{ports.rtmgr}")
        self.e2term = E2TermSimulator(
            config,
            lambda name, state: self.nodes.set(name, CONNECTION_STATES[state]),
            lambda instance: self.rtmgr.routes.get(instance, ()),
        )
        self.xapp = XappSimulator(XappConfig(f"127.0.0.1:{ports.xapp_simulator}", rmr_port=ports.xapp_simulator_rmr))
        announced = tuple(RanFunction(one.id, one.revision, one.oid, one.definition) for one in functions())
        for name in NODES:
            self.nodes.set_functions(name, announced)

    def start(self) -> None:
        """Starts the simulators. Raises ListenError or TransportError for a taken port."""
        for simulator in (self.e2term, self.rtmgr, self.xapp):
            simulator.start()

    def stop(self) -> None:
        for simulator in (self.xapp, self.rtmgr, self.e2term):
            simulator.stop()

    def overrides(self, ports: TcpPorts, database: str) -> dict[str, Any]:
        """The settings that make the daemon use these neighbours. To be called when they have started."""
        return {
            "subscription.host": f"127.0.0.1:{ports.xapp}",
            "local.host": f"127.0.0.1:{ports.platform}",
            "rmr.protPort": f"tcp:{ports.rmr}",
            "rtmgr.hostAddr": "127.0.0.1",
            "rtmgr.port": self.rtmgr.http.port,
            "sdl.backend": "sqlite",
            "sdl.path": database,
            "debug.write": "open",
        }

    def routes(self) -> RouteTable:
        """A route table that sends everything for an E2 node to the simulated E2 Termination."""
        return parse_routes(self.e2term.route_table())

    def introduction(self, xapp: int, platform: int, database: str) -> str:
        """The text for the user at the start. Its curl line works as it stands. `database`: where it is, in words."""
        base = f"http://127.0.0.1:{xapp}/ric/v1/subscriptions"
        assert self.e2term.control is not None
        e2term, rtmgr, notified = (
            f"http://{http.address}" for http in (self.e2term.control, self.rtmgr.http, self.xapp.http)
        )
        return f"""
RIC Subscription Manager, stand-alone; stop it with Ctrl-C.

  xApp REST              {base}
  platform REST          http://127.0.0.1:{platform}/ric/v1/health/ready   (console: http://127.0.0.1:{platform}/)
  E2 nodes               {", ".join(NODES)}
  what they hold         {e2term}/state
  routes                 {rtmgr}/state
  notifications          {notified}/state   (and what the nodes measured)
  database               {database}

Subscribe:

curl -s -X POST {base} -H 'Content-Type: application/json' -d '{self.example()}'
"""

    def example(self) -> str:
        """The JSON of a subscribe request that the simulated neighbours answer."""
        return json.dumps(
            {
                "ClientEndpoint": {"Host": "127.0.0.1", "HTTPPort": self.xapp.http.port, "RMRPort": self.xapp.rmr_port},
                "Meid": NODES[0],
                "RANFunctionID": KPM,
                "SubscriptionDetails": [
                    {
                        "XappEventInstanceId": 12345,
                        "EventTriggers": list(_EVERY_SECOND),
                        "ActionToBeSetupList": [
                            {
                                "ActionID": 1,
                                "ActionType": "report",
                                "ActionDefinition": list(_THROUGHPUT),
                                "SubsequentAction": {"SubsequentActionType": "continue", "TimeToWait": "w10ms"},
                            }
                        ],
                    }
                ],
            }
        )


def start_demos(say: Callable[[str], None], edge: Edge) -> list[Demo]:
    """Starts two MECs with a UE that moves, and an orchestrator whose platforms come under load. `edge` shows them.

    Raises ListenError.
    """
    # loading them takes longer than the rest of the start, and most runs do not need them
    import_beside("mec.demo", "mec.meo.demo")
    from mec import demo as mec_demo
    from mec.meo import demo as meo_demo
    from mec.overview import orchestrator_overview

    moving = mec_demo.start_demo(say)
    try:
        placing = meo_demo.start_demo(say)
    except BaseException:
        moving.stop()
        raise
    edge.mecs.extend(moving.overviews)
    edge.orchestrators.append(partial(orchestrator_overview, placing.orchestrator))
    return [moving, placing]
