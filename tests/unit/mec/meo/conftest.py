# SPDX-License-Identifier: Apache-2.0
"""An orchestrator in a world in memory."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from support.mec.meo_world import World

from mec.common.problem_details import problem_app


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    world.start()
    yield world
    world.stop()


@pytest.fixture
def client(world: World) -> FlaskClient:
    """Of both interfaces."""
    application = problem_app("meo")
    for blueprint in world.orchestrator.blueprints:
        application.register_blueprint(blueprint)
    return application.test_client()
