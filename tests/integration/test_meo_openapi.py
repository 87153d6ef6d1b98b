# SPDX-License-Identifier: Apache-2.0
"""What the orchestrator's OpenAPI documents promise, asked with generated requests, right and wrong ones."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from support.mec.meo_world import World, app

from mec.common.problem_details import problem_app
from submgr.platform.http.api_documents import DocumentFile

GENERATED = settings(
    max_examples=max(2, settings.default.max_examples // 20),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
"""Two requests of a kind by default, five in CI, a thousand with `make fuzz`."""
DOCUMENTS = ("mec.meo", "mec.meo.lcmp")


def operations() -> list[tuple[str, str, str, GenerationMode]]:
    """Base, path and method of everything the documents have; with a mode for wrong requests where there can be any."""
    documents = [DocumentFile(package, "openapi.yaml").content() for package in DOCUMENTS]
    return [
        (document["servers"][0]["url"], path, method, mode)
        for document in documents
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if mode is GenerationMode.POSITIVE or "requestBody" in operation
    ]


@pytest.fixture(scope="module")
def schemas() -> Iterator[dict[str, Any]]:
    """Both interfaces, on a world with an application and platforms that take contexts, by their base."""
    world = World()
    world.start()
    world.inventory.add_app(app())
    world.platform("p1")
    world.platform("p2")
    application = problem_app("meo")
    for blueprint in world.orchestrator.blueprints:
        application.register_blueprint(blueprint)
    bases = ("/meo/v1", "/dev_app/v1")
    yield {base: schemathesis.openapi.from_wsgi(f"{base}/openapi.json", application) for base in bases}
    world.stop()


@pytest.mark.parametrize(("base", "path", "method", "mode"), operations())
def test_keeps_its_promises(schemas: dict[str, Any], base: str, path: str, method: str, mode: GenerationMode) -> None:
    operation = schemas[base][path][method]

    @GENERATED
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        # a member that is null counts as absent: what is wrong without it is wrong, no more
        assume(mode is GenerationMode.POSITIVE or not has_null(case.body))
        case.call_and_validate()

    ask()


def has_null(value: Any) -> bool:
    """Whether an object in a body has a member that is null."""
    if isinstance(value, dict):
        return None in value.values() or any(map(has_null, value.values()))
    return isinstance(value, list) and any(map(has_null, value))
