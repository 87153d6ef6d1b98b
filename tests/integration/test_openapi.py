# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI documents of the ports promise, asked of running programs with generated requests, right and wrong.

The stand-alone run has all ports in one process, and simulated neighbours. What ends the process is asked of a daemon
that wants a token for it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance
from support.http.api_document import METHODS
from support.processes.daemon import Daemon, Neighbourhood
from support.processes.standalone import NODES, Standalone

from mec.ams.amsi.values import callback
from mec.app import DOCUMENT as MANAGER
from mec.controller.cli import DOCUMENT as CONTROLLER
from mec.controller.schemas import fed_addresses
from mec.proxy.cli import DOCUMENT as PROXY
from submgr.rest.openapi import PLATFORM, XAPP

GENERATED = settings(
    max_examples=max(3, settings.default.max_examples // 25),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
"""Three requests of a kind by default, four in CI, eight hundred with `make fuzz`."""
DOCUMENTS = {"xapp": XAPP, "platform": PLATFORM, "mec": MANAGER, "controller": CONTROLLER, "proxy": PROXY}
ENDS = ("restart", "import")
"""Operations after which the process is another one."""


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """A backup, as generated: text."""
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


def operations() -> list[Any]:
    """Port, path, method and mode of what the documents have; with a mode for wrong requests where there can be any."""
    return [
        pytest.param(name, path, method, mode, id=f"{name}-{method}-{path}-{mode.value}")
        for name, document in DOCUMENTS.items()
        for path, methods in document.content()["paths"].items()
        for method, operation in methods.items()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        if method in METHODS and operation["operationId"] not in ENDS
        if mode is GenerationMode.POSITIVE or "requestBody" in operation
    ]


@dataclass(frozen=True, slots=True)
class Running:
    """The documents as a stand-alone run serves them, and the body of a request that its neighbours answer."""

    schemas: dict[str, Any]
    example: dict[str, Any]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Standalone(tmp_path_factory.mktemp("standalone"), mec=True) as run:
        addresses = run.listening()
        urls = {name: f"http://{addresses[name]}/openapi.json" for name in DOCUMENTS}
        yield Running({name: schemathesis.openapi.from_url(url) for name, url in urls.items()}, run.example)
        assert run.running
        text = run.log.read_text()
        assert '"crit":"ERROR"' not in text
        assert "Traceback" not in text


def sent(case: Any, example: dict[str, Any]) -> None:
    """Leaves out what no schema can say, and what would go to others than the simulators."""
    body = case.body
    match case.operation.definition.raw.get("operationId"):
        case "subscribe":
            details = body["SubscriptionDetails"]
            assume(distinct(detail["XappEventInstanceId"] for detail in details))
            for actions in (detail["ActionToBeSetupList"] for detail in details):
                assume(distinct(action["ActionID"] for action in actions))
                assume(len({action["ActionType"] for action in actions}) == 1)
            assume(len(body["Meid"].encode()) <= 31)
            body.pop("SubscriptionId", None)
            body["Meid"] = NODES[0]
            body["ClientEndpoint"] |= {"Host": "127.0.0.1", "HTTPPort": example["ClientEndpoint"]["HTTPPort"]}
        case "events":
            case.query.pop("follow", None)  # an answer without an end
        case "feed":
            assume(takes(fed_addresses, body["ip"]))
        case "subscribeToMobility" | "changeMobilitySubscription":
            assume(takes(callback, body["callbackReference"]))
            assume((body.get("expiryDeadline") or {"seconds": math.inf})["seconds"] > time.time())


def distinct(values: Iterable[object]) -> bool:
    every = list(values)
    return len(set(every)) == len(every)


def takes(convert: Callable[[Any], object], value: Any) -> bool:
    try:
        convert(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("port", "path", "method", "mode"), operations())
def test_keeps_its_promises(running: Running, port: str, path: str, method: str, mode: GenerationMode) -> None:
    operation = running.schemas[port][path][method]

    @GENERATED
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            sent(case, running.example)
        # 503 and 500 are answers like others where the document has them, and nowhere else
        answer = case.call()
        if answer.status_code != 413:  # too large, whatever it says
            case.validate_response(answer, excluded_checks=[not_a_server_error])

    ask()


def test_what_ends_the_process_wants_a_token() -> None:
    """No schema can say what a backup is: one that is none is refused, and that is right."""
    unlike = [not_a_server_error, positive_data_acceptance]
    with Neighbourhood() as around, Daemon(around, debug={"write": "token", "token": "secret"}) as daemon:
        base = f"http://127.0.0.1:{daemon.platform_port}"
        schema = schemathesis.openapi.from_url(f"{base}/openapi.json")
        for path, method in (("/ric/v1/test/restart", "post"), ("/ric/v1/import", "post")):

            @GENERATED
            @given(schema[path][method].as_strategy())
            def ask(case: Any) -> None:
                assert case.call_and_validate(excluded_checks=unlike).status_code == 401
                if case.path.endswith("import"):
                    case.query = {**(case.query or {}), "dryRun": "true"}
                    answer = case.call(headers={"Authorization": "Bearer secret"})
                    case.validate_response(answer, excluded_checks=unlike)
                    assert answer.status_code in (200, 400)

            ask()
        assert daemon.running
