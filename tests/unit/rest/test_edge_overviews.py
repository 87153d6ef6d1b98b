# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from submgr.rest.edge import Edge
from submgr.rest.edge_overviews import edge_routes


@pytest.mark.parametrize("what", ["mec", "meo"])
def test_off_in_clear_words(platform: FlaskClient, what: str) -> None:
    answer = platform.get(f"/ric/v1/{what}/overview")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "mec.enabled" in answer.json["message"]


def test_services_that_are_added_later_are_shown() -> None:
    edge = Edge()
    views = dict(edge_routes(edge))
    edge.mecs.extend([lambda: {"MecId": 5}, lambda: {"MecId": 9}])
    edge.orchestrators.append(lambda: {"Platforms": []})
    assert views["/ric/v1/mec/overview"]().get_data() == b'{"Mecs":[{"MecId":5},{"MecId":9}]}'
    assert views["/ric/v1/meo/overview"]().get_data() == b'{"Orchestrators":[{"Platforms":[]}]}'
