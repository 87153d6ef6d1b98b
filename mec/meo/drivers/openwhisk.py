# SPDX-License-Identifier: Apache-2.0
"""For OpenWhisk: the application is an action of the namespace that the credentials belong to.

`deployInfo` is the body of the action as OpenWhisk's REST API takes it: `{"exec": {"kind", "code" or "image"},
"limits", "parameters", "annotations"}`. `credentials` are the API key "uuid:key", as a string or
`{"username", "password"}`.
"""

from collections.abc import Mapping
from typing import Any

from mec.meo.drivers.base import authorization, basic, call, deploy_info, needs_http_endpoint, resource_name
from mec.meo.model import App, Platform
from submgr.platform.http.client import HttpClient


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
        call(self._client, "PUT", f"{_url(app, platform)}?overwrite=true", body, timeout, _authorization(platform))

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        headers = _authorization(platform)
        call(self._client, "DELETE", _url(app, platform), None, timeout, headers, frozenset((404,)))


def _url(app: App, platform: Platform) -> str:
    return f"{platform.endpoint_mgmt.rstrip('/')}/api/v1/namespaces/_/actions/{resource_name(app)}"


def _authorization(platform: Platform) -> dict[str, str]:
    credentials = platform.credentials
    if isinstance(credentials, str) and ":" in credentials:
        return basic(credentials)
    return authorization(credentials)
