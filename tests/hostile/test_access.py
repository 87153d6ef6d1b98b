# SPDX-License-Identifier: Apache-2.0
"""Web pages, guessed tokens, callbacks to the daemon itself, odd names: nothing is opened, and nobody waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.hostile.access import TOKEN
from support.hostile.ordeal import Attack, http_probe
from support.hostile.site import Site
from support.hostile.table import ACCESS
from support.processes.daemon import Neighbourhood

SECTIONS = {
    "logger": {"level": 4},  # each request is a line
    "debug": {"write": "token", "token": "the-debug-token"},
    "meo": {"adminToken": "the-admin-token"},
    "outbound": {"deny": ["link-local"]},
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Neighbourhood() as around, Site(around, **SECTIONS) as site:
        # an operator whose token is right comes from the address from which others guess
        unknown = "/ric/v1/test/deletesubid=65535"
        fields = (TOKEN, "Content-Length: 0")
        site.more_probes = [http_probe("8080 operator", site.ports["platform"], unknown, "POST", 404, fields)]
        yield site


@pytest.mark.parametrize("attack", ACCESS, ids=lambda attack: attack.name)
def test_others_do_not_notice(site: Site, attack: Attack) -> None:
    site.endure(attack)
