# SPDX-License-Identifier: Apache-2.0
"""Requests of neighbours that are answered before Flask get the answers that Flask gives."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from werkzeug.test import Client, TestResponse

from submgr.core.errors import RefusedError
from submgr.core.model import Action, ActionType, Content, E2Record, RmrEndpoint
from submgr.platform.http.plain_answers import PlainRoutes
from submgr.rest.daily_routes import daily_routes
from submgr.rest.platform import platform_app
from submgr.rest.use_cases import HealthReport

PATHS = (
    "/ric/v1/health/alive",
    "/ric/v1/health/ready",
    "/ric/v1/metrics",
    "/metrics",
    "/ric/v1/subscriptions",
)


def whole(answer: TestResponse) -> tuple[Any, ...]:
    told = answer.status, sorted(answer.headers.items()), answer.get_data()
    answer.close()
    return told


class Ways:
    """The platform interface as the daemon has it, and Flask alone; what was left to Flask."""

    def __init__(self, subscriptions: Any, operations: Any, looked_at: Any, may: Any = lambda environ: True) -> None:
        self.flask_is_asked: list[str] = []
        daily = daily_routes(subscriptions, operations.operations())
        self.flask = platform_app(subscriptions, operations.operations(), looked_at.looks(), lambda: None, (), daily)

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            self.flask_is_asked.append(environ["PATH_INFO"])
            return self.flask(environ, start_response)

        self.daemon = Client(PlainRoutes(app, daily, may))

    def both(self, path: str, method: str = "GET", **more: Any) -> tuple[Any, ...]:
        """The answer of the daemon, which is that of Flask."""
        told = whole(self.daemon.open(path, method=method, **more))
        assert told == whole(self.flask.test_client().open(path, method=method, **more))
        return told


@pytest.fixture
def ways(subscriptions: Any, operations: Any, looked_at: Any) -> Ways:
    content = Content(2, bytes(40), (Action(1, ActionType.REPORT),))
    endpoint = RmrEndpoint("a", 4560)
    subscriptions.e2 = [E2Record(number, "gnb_1", 123, 1, content, (endpoint,), (), (), ()) for number in range(1, 500)]
    return Ways(subscriptions, operations, looked_at)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("more", [{}, {"query_string": "a=b&c"}, {"headers": {"Accept": "text/html"}}, {"data": "x"}])
def test_what_is_asked_all_day(ways: Ways, path: str, more: dict[str, Any]) -> None:
    told = ways.both(path, **more)
    assert told[0] == "200 OK"
    assert int(dict(told[1])["Content-Length"]) == len(told[2]) > 2
    assert ways.flask_is_asked == []


def test_a_process_that_is_not_ready(ways: Ways, operations: Any) -> None:
    operations.ready = HealthReport(False, ["not ready: restore"], ["no route"])
    assert ways.both("/ric/v1/health/ready")[0] == "503 SERVICE UNAVAILABLE"
    assert ways.flask_is_asked == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "get", "TRACE"])
def test_other_methods(ways: Ways, path: str, method: str) -> None:
    ways.both(path, method)
    assert ways.flask_is_asked == [path]


@pytest.mark.parametrize(
    "path", [f"{path}/" for path in PATHS] + ["//metrics", "/metrics/x", "/METRICS", "/%2Fmetrics"]
)
def test_other_forms_of_the_paths(ways: Ways, path: str) -> None:
    ways.both(path)
    assert len(ways.flask_is_asked) == 1


@pytest.mark.parametrize("path", PATHS)
def test_our_own_callbacks_are_refused(ways: Ways, path: str) -> None:
    assert ways.both(path, headers={"RIC-Callback": "1"})[0] == "403 FORBIDDEN"


@pytest.mark.parametrize("error", [RefusedError(503, "not now", retry_after=1), ZeroDivisionError("a bug")])
def test_a_view_that_fails(ways: Ways, subscriptions: Any, error: Exception) -> None:
    subscriptions.e2_subscriptions = Mock(side_effect=error)
    assert ways.both("/ric/v1/subscriptions")[0][:3] == ("503" if isinstance(error, RefusedError) else "500")
    assert len(ways.flask_is_asked) == 1


@pytest.mark.parametrize("may", [Mock(return_value=False), Mock(side_effect=RefusedError(503, "not restored"))])
def test_what_may_not_be_answered_before_flask(subscriptions: Any, operations: Any, looked_at: Any, may: Mock) -> None:
    ways = Ways(subscriptions, operations, looked_at, may)
    ways.both("/ric/v1/subscriptions")
    assert len(ways.flask_is_asked) == 1
    assert may.call_args.args[0]["PATH_INFO"] == "/ric/v1/subscriptions"
