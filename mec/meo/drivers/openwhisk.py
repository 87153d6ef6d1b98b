# SPDX-License-Identifier: Apache-2.0
"""For OpenWhisk: the application is an action of the namespace that the credentials belong to.

`deployInfo` is the body of the action as OpenWhisk's REST API takes it: `{"exec": {"kind", "code" or "image"},
"limits", "parameters", "annotations"}`. `credentials` are the API key "uuid:key", as a string or
`{"username", "password"}`.
"""

import time
from collections.abc import Mapping
from typing import Any

import gevent

from mec.meo.drivers.base import (
    DriverError,
    authorization,
    basic,
    call,
    deploy_info,
    needs_http_endpoint,
    resource_name,
)
from mec.meo.model import App, Platform
from submgr.platform.http.client import HttpClient, HttpResponse

_BUSY = frozenset((409, 429))
"""Somebody else changes the action at this moment; too many requests."""
_PAUSES = (0.1, 0.3, 0.6)
"""Seconds before each further try."""


class OpenWhiskDriver:
    """Creates and deletes actions through OpenWhisk's REST API."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def check(self, deploy_info: Any) -> str | None:
        executable = deploy_info.get("exec") if isinstance(deploy_info, Mapping) else None
        if not isinstance(executable, Mapping) or not isinstance(executable.get("kind"), str):
            return 'an OpenWhisk action needs {"exec": {"kind": ...}}'
        return None

    def check_platform(self, platform: Platform) -> str | None:
        return needs_http_endpoint(platform)

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        body = {**deploy_info(app, platform), "namespace": "_", "name": resource_name(app)}
        self._call("PUT", f"{_url(app, platform)}?overwrite=true", body, timeout, platform, frozenset())

    def ready(self, app: App, platform: Platform, timeout: float) -> str | None:
        answer = self._call("GET", _url(app, platform), None, timeout, platform, frozenset((404,)))
        return "OpenWhisk does not have the action" if answer.status == 404 else None

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        self._call("DELETE", _url(app, platform), None, timeout, platform, frozenset((404,)))

    def _call(
        self, method: str, url: str, body: object, timeout: float, platform: Platform, accepted: frozenset[int]
    ) -> HttpResponse:
        """A request, made again a few times while OpenWhisk is busy. Raises DriverError."""
        end = time.monotonic() + timeout
        headers = _authorization(platform)
        for pause in (*_PAUSES, None):
            left = max(end - time.monotonic(), 0.01)
            answer = call(self._client, method, url, body, left, headers, accepted | _BUSY)
            if answer.status not in _BUSY:
                return answer
            if pause is None or time.monotonic() + pause >= end:
                raise DriverError(f"{method} answered with {answer.status}, and again after {len(_PAUSES)} tries")
            gevent.sleep(pause)
        raise AssertionError("unreachable: without a pause the loop has ended")


def _url(app: App, platform: Platform) -> str:
    return f"{platform.endpoint_mgmt.rstrip('/')}/api/v1/namespaces/_/actions/{resource_name(app)}"


def _authorization(platform: Platform) -> dict[str, str]:
    credentials = platform.credentials
    if isinstance(credentials, str) and ":" in credentials:
        return basic(credentials)
    return authorization(credentials)
