# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from submgr.rmr.environment import RmrEnvironment, RmrEnvironmentError, read_environment, read_port


@pytest.mark.parametrize(
    ("env", "control_port", "manager"),
    [
        ({}, 4561, ""),
        ({"RMR_RTG_SVC": "4777"}, 4777, ""),
        ({"RMR_RTG_SVC": "tcp:4777"}, 4777, ""),
        ({"RMR_RTG_SVC": "4777", "RMR_CTL_PORT": "4888"}, 4777, ""),
        ({"RMR_CTL_PORT": "4888"}, 4888, "routemgr:4561"),
        ({"RMR_CTL_PORT": "tcp:4888", "RMR_RTG_SVC": "rtmgr:4561"}, 4888, "rtmgr:4561"),
        ({"RMR_RTG_SVC": "rtmgr:4561"}, 4561, "rtmgr:4561"),
        ({"RMR_RTG_SVC": "tcp:rtmgr:4561"}, 4561, "rtmgr:4561"),
        ({"RMR_RTG_SVC": "[fe80::1]:4561"}, 4561, "[fe80::1]:4561"),
        ({"RMR_RTG_SVC": "-1"}, None, ""),
        ({"RMR_RTG_SVC": "-1", "RMR_CTL_PORT": "4888"}, None, ""),
        ({"RMR_RTG_SVC": " ", "RMR_CTL_PORT": ""}, 4561, ""),
    ],
)
def test_where_route_tables_come_from(env: dict[str, str], control_port: int | None, manager: str) -> None:
    got = read_environment(env)
    assert (got.control_port, got.manager) == (control_port, manager)


def test_all_of_it() -> None:
    env = {
        "RMR_SEED_RT": "/etc/routes.rt",
        "RMR_RTREQ_FREQ": "300",
        "RMR_SRC_ID": "service-ricplt-submgr-rmr.ricplt:4560",
        "RMR_SRC_NAMEONLY": "1",
        "RMR_BIND_IF": "[::1]",
        "RMR_STASH_RT": "/tmp/stash",
        "RMR_LOG_VLEVEL": "5",
        "PATH": "/bin",
    }
    assert read_environment(env) == RmrEnvironment(
        seed=Path("/etc/routes.rt"),
        request_interval=300,
        source="service-ricplt-submgr-rmr.ricplt",
        name_only=True,
        bind="::1",
        stash=Path("/tmp/stash"),
        verbosity=5,
    )


def test_the_stash_is_beside_the_seed() -> None:
    assert read_environment({"RMR_SEED_RT": "/x/seed.rt"}).stash == Path("/x/seed.rt.stash")
    assert read_environment({}).stash is None


def test_source_id_may_be_a_bracketed_address() -> None:
    assert read_environment({"RMR_SRC_ID": "[fe80::1]:4560"}).source == "fe80::1"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RMR_RTG_SVC", "rtmgr", "host:port or a negative number is expected"),
        ("RMR_RTG_SVC", "rtmgr:x", "port 'x'"),
        ("RMR_RTG_SVC", "0", "a port"),
        ("RMR_RTG_SVC", "65536", "a port"),
        ("RMR_RTG_SVC", "-x", "a port"),
        ("RMR_CTL_PORT", "rtmgr:4561", "a port"),
        ("RMR_CTL_PORT", "-1", "a port"),
        ("RMR_RTREQ_FREQ", "0", "from 1 to 300"),
        ("RMR_RTREQ_FREQ", "301", "from 1 to 300"),
        ("RMR_RTREQ_FREQ", "5s", "from 1 to 300"),
        ("RMR_LOG_VLEVEL", "6", "from -1 to 5"),
        ("RMR_SRC_NAMEONLY", "yes", "from 0 to 255"),
        ("RMR_SRC_ID", "two words", "no valid host"),
        ("RMR_SRC_ID", "h" * 60, "longer than 63 bytes"),
    ],
)
def test_a_value_that_means_nothing_is_named_and_counts_as_unset(name: str, value: str, expected: str) -> None:
    found = read_environment({name: value})
    (warning,) = found.warnings
    assert f"{name}={value!r}" in warning
    assert expected in warning
    assert replace(found, warnings=()) == read_environment({}), "it counts as unset"


def test_port_of_the_configuration() -> None:
    assert read_port("rmr.protPort", "tcp:4560") == 4560
    assert read_port("rmr.protPort", "4560") == 4560
    with pytest.raises(RmrEnvironmentError, match=r"rmr\.protPort='udp:1'"):
        read_port("rmr.protPort", "udp:1")
