# SPDX-License-Identifier: Apache-2.0
"""For platforms with a management service of their own, told by HTTP requests to `endpointMgmt`.

A deployment is a POST of `{"operation": "deploy", "platform", "appKey", "appInfo", "deployInfo", "deploymentId",
"statusUrl", "statusToken"}`, a removal a DELETE with `{"operation": "remove", "platform", "appKey", "appInfo"}`. Any
2xx is done, but 202: the platform tells by a POST to `statusUrl` when it is ready. For a removal 404 and 410 are done
too, since what is not there needs no removal.
"""

from collections.abc import Mapping
from typing import Any

from mec.meo.drivers.base import Report, authorization, call, deploy_info, needs_http_endpoint
from mec.meo.model import App, Platform
from submgr.platform.http.client import HttpClient

_ACCEPTED = 202
_GONE = frozenset((404, 410))


class WebhookDriver:
    """Tells the management service of a platform what to deploy and remove."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def check(self, deploy_info: Any) -> str | None:
        return None

    def check_platform(self, platform: Platform) -> str | None:
        return needs_http_endpoint(platform)

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        self._deploy(app, platform, timeout, {})

    def deploy_reported(self, app: App, platform: Platform, timeout: float, report: Report) -> bool:
        more = {"deploymentId": report.id, "statusUrl": report.url, "statusToken": report.token}
        return self._deploy(app, platform, timeout, more) != _ACCEPTED

    def _deploy(self, app: App, platform: Platform, timeout: float, more: Mapping[str, str]) -> int:
        """The status of the answer. Raises DriverError."""
        body = _body("deploy", app, platform) | {"deployInfo": deploy_info(app, platform), **more}
        headers = authorization(platform.credentials)
        return call(self._client, "POST", platform.endpoint_mgmt, body, timeout, headers).status

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        body = _body("remove", app, platform)
        call(self._client, "DELETE", platform.endpoint_mgmt, body, timeout, authorization(platform.credentials), _GONE)


def _body(operation: str, app: App, platform: Platform) -> dict[str, Any]:
    info = app.info
    return {
        "operation": operation,
        "platform": platform.name,
        "appKey": app.key,
        "appInfo": {
            "appDId": info.app_d_id,
            "appName": info.name,
            "appProvider": info.provider,
            "appSoftVersion": info.soft_version,
            "appDVersion": info.d_version,
        },
    }
