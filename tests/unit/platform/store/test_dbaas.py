# SPDX-License-Identifier: Apache-2.0
"""What the DBAAS_* variables mean: the good entries of each list count, the bad ones are named, nothing is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from submgr.platform.store.dbaas import (
    CLUSTER_ADDRESSES,
    HOST,
    MASTER_NAME,
    PORT,
    SENTINEL_PORT,
    VARIABLES,
    Dbaas,
    read_dbaas,
)


def lists(found: Dbaas) -> Mapping[str, str]:
    """The databases as lists in the variables would name them, each with one entry for each database."""
    with_sentinel = found.databases[0].master is not None
    told = {
        CLUSTER_ADDRESSES: ",".join(each.host for each in found.databases),
        SENTINEL_PORT if with_sentinel else PORT: ",".join(str(each.port) for each in found.databases),
    }
    return {**told, MASTER_NAME: ",".join(str(each.master) for each in found.databases)} if with_sentinel else told


@pytest.mark.parametrize(
    ("environment", "addresses", "ports"),
    [
        ({HOST: "redis"}, "redis", "6379"),
        ({HOST: " redis ", PORT: " 6380 "}, "redis", "6380"),
        ({HOST: "unused", CLUSTER_ADDRESSES: "a,b"}, "a,b", "6379,6379"),
        ({CLUSTER_ADDRESSES: "a, b ,c", PORT: "1,2"}, "a,b,c", "1,2,2"),
        ({CLUSTER_ADDRESSES: "10.0.0.1,fd00::1,[fd00::2]"}, "10.0.0.1,fd00::1,fd00::2", "6379,6379,6379"),
        ({CLUSTER_ADDRESSES: "a:7000,b,[fd00::2]:7002", PORT: "1"}, "a,b,fd00::2", "7000,1,7002"),
    ],
)
def test_good_ones(environment: dict[str, str], addresses: str, ports: str) -> None:
    found = read_dbaas(environment)
    assert lists(found) == {CLUSTER_ADDRESSES: addresses, PORT: ports}
    assert found.warnings == ()


def test_sentinels() -> None:
    found = read_dbaas({CLUSTER_ADDRESSES: "a,b", SENTINEL_PORT: "26379", MASTER_NAME: "one, two", PORT: "http"})
    assert lists(found) == {CLUSTER_ADDRESSES: "a,b", SENTINEL_PORT: "26379,26379", MASTER_NAME: "one,two"}
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("environment", "variables", "warnings"),
    [
        ({}, {CLUSTER_ADDRESSES: "localhost", PORT: "6379"}, ["DBAAS_SERVICE_HOST is not set: localhost is taken"]),
        (
            {HOST: "  ", PORT: "6380"},
            {CLUSTER_ADDRESSES: "localhost", PORT: "6380"},
            ["DBAAS_SERVICE_HOST is not set: localhost is taken"],
        ),
        (
            {HOST: "http://redis"},
            {CLUSTER_ADDRESSES: "localhost", PORT: "6379"},
            [
                "DBAAS_SERVICE_HOST: 'http://redis' is no address, it is left out",
                "no address of the database can be used: localhost is taken",
            ],
        ),
        (
            {HOST: "redis", CLUSTER_ADDRESSES: ", ,"},
            {CLUSTER_ADDRESSES: "redis", PORT: "6379"},
            ["DBAAS_CLUSTER_ADDR_LIST: an entry is empty"] * 3,
        ),
        (
            # what Kubernetes puts there for a service of this name
            {HOST: "redis", PORT: "tcp://10.0.0.1:6379"},
            {CLUSTER_ADDRESSES: "redis", PORT: "6379"},
            ["DBAAS_SERVICE_PORT: 'tcp://10.0.0.1:6379' is no port number, 6379 is taken"],
        ),
        (
            {HOST: "redis", PORT: "70000"},
            {CLUSTER_ADDRESSES: "redis", PORT: "6379"},
            ["DBAAS_SERVICE_PORT: '70000' is no port number, 6379 is taken"],
        ),
        (
            # an address keeps its own port when the one before it is left out
            {CLUSTER_ADDRESSES: "a,b c,d", PORT: "1,2,3"},
            {CLUSTER_ADDRESSES: "a,d", PORT: "1,3"},
            ["DBAAS_CLUSTER_ADDR_LIST: 'b c' is no address, it is left out"],
        ),
        (
            {CLUSTER_ADDRESSES: "a,b,", PORT: "1,2"},
            {CLUSTER_ADDRESSES: "a,b", PORT: "1,2"},
            ["DBAAS_CLUSTER_ADDR_LIST: an entry is empty"],
        ),
        (
            {CLUSTER_ADDRESSES: "a:99999,b"},
            {CLUSTER_ADDRESSES: "b", PORT: "6379"},
            ["DBAAS_CLUSTER_ADDR_LIST: 'a:99999' is no address, it is left out"],
        ),
        (
            {HOST: "redis", SENTINEL_PORT: "x"},
            {CLUSTER_ADDRESSES: "redis", SENTINEL_PORT: "26379", MASTER_NAME: "dbaasmaster"},
            [
                "DBAAS_SERVICE_SENTINEL_PORT: 'x' is no port number, 26379 is taken",
                "DBAAS_MASTER_NAME is not set: dbaasmaster is taken",
            ],
        ),
        (
            {CLUSTER_ADDRESSES: "a,b", SENTINEL_PORT: "1", MASTER_NAME: "one,"},
            {CLUSTER_ADDRESSES: "a,b", SENTINEL_PORT: "1,1", MASTER_NAME: "one,dbaasmaster"},
            ["DBAAS_MASTER_NAME: '' is no name, dbaasmaster is taken"],
        ),
    ],
)
def test_bad_ones(environment: dict[str, str], variables: dict[str, str], warnings: list[str]) -> None:
    found = read_dbaas(environment)
    assert lists(found) == variables
    assert list(found.warnings) == warnings


@given(st.dictionaries(st.sampled_from(VARIABLES), st.text("ab1:[],. \t/é", max_size=12)))
def test_whatever_is_there_a_database_is_looked_for(environment: dict[str, str]) -> None:
    found = read_dbaas(environment)
    assert found.databases
    assert len({each.master is None for each in found.databases}) == 1
    assert all(each.host and 0 < each.port < 65536 and each.master != "" for each in found.databases)
