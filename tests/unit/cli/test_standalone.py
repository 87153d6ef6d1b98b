# SPDX-License-Identifier: Apache-2.0
"""The ports of a stand-alone run."""

from __future__ import annotations

from msgspec.structs import astuple

from submgr.cli.standalone import TcpPorts

EPHEMERAL = 32768
"""The first of the ports that Linux takes for outgoing connections (net.ipv4.ip_local_port_range)."""


def test_usual_ports_are_none_that_an_outgoing_connection_may_have() -> None:
    usual = [port for port in astuple(TcpPorts()) if port]
    assert len(usual) == len(set(usual)) == 7
    assert max(usual) < EPHEMERAL


def test_free_ports() -> None:
    assert [port for port in astuple(TcpPorts.free()) if port] != []
    assert TcpPorts.free().xapp == 0
