# SPDX-License-Identifier: Apache-2.0
"""The interface of deployment drivers, and what they share."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec

from mec.meo.model import App, Pair, Platform
from submgr.platform.http.client import HttpClient, HttpResponse
from submgr.platform.http.errors import HttpError


class DriverError(Exception):
    """A deployment or removal that failed, or whose outcome is unknown; the message never shows credentials."""


class NeverReady(DriverError):
    """What was deployed will not become ready: its platform has given it up."""


class Driver(Protocol):
    """Deploys applications on platforms of one kind. Both operations may be repeated, whatever became of them before,
    and take at most about `timeout` s."""

    def check(self, deploy_info: Any) -> str | None:
        """What is wrong with the deployInfo of an application, or None."""

    def check_platform(self, platform: Platform) -> str | None:
        """What is wrong with a platform for this driver, or None."""

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        """Make the application available there. Raises DriverError."""

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        """Take it away; one that is not there is no error. Raises DriverError."""


@runtime_checkable
class Observable(Protocol):
    """A driver that can see whether what it has deployed is ready. The others have it ready when they have deployed."""

    def ready(self, app: App, platform: Platform, timeout: float) -> str | None:
        """Why the deployment is not ready yet, in words; None when it is. Takes at most about `timeout` s.

        Raises NeverReady, and DriverError when that cannot be told at the moment.
        """


@dataclass(frozen=True, slots=True)
class Report:
    """Where and with which bearer token a platform may tell the state of the deployment `id`."""

    id: str
    url: str
    token: str = field(repr=False)


@runtime_checkable
class Reported(Protocol):
    """A driver whose platforms may tell how far a deployment is."""

    def deploy_reported(self, app: App, platform: Platform, timeout: float, report: Report) -> bool:
        """As `Driver.deploy`. Returns whether it is done; if not, the platform tells by `report` when it is."""


def deploy_info(app: App, platform: Platform) -> Any:
    """How `app` is deployed on platforms of this type; empty when it no longer says."""
    support = app.support(platform.type)
    return support.deploy_info if support else {}


def instance_id(pair: Pair) -> str:
    """A name for the application on the platform, always the same: 32 lower-case hexadecimal digits."""
    return hashlib.sha256(f"{pair.platform}\n{pair.app_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def resource_name(app: App) -> str:
    """A DNS label (at most 52 characters) that is unique to the application and still tells which one it is."""
    readable = re.sub("[^a-z0-9]+", "-", app.info.name.lower()).strip("-")[:31].strip("-")
    digest = hashlib.sha256(app.key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"meo-{readable}-{digest}" if readable else f"meo-{digest}"


def needs_http_endpoint(platform: Platform) -> str | None:
    """What is wrong with a platform whose driver makes HTTP requests to endpointMgmt."""
    if platform.endpoint_mgmt.startswith(("http://", "https://")):
        return None
    return f"endpointMgmt must be an http or https URL for platforms of type {platform.type}"


def authorization(credentials: Any) -> dict[str, str]:
    """The Authorization header of a platform's credentials: a token as a string or `{"token"}`, or
    `{"username", "password"}`."""
    if isinstance(credentials, str) and credentials:
        return {"Authorization": f"Bearer {credentials}"}
    if isinstance(credentials, Mapping):
        if token := credentials.get("token"):
            return {"Authorization": f"Bearer {token}"}
        if username := credentials.get("username"):
            return basic(f"{username}:{credentials.get('password', '')}")
    return {}


def basic(credentials: str) -> dict[str, str]:
    """The header of HTTP basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


def call(
    client: HttpClient,
    method: str,
    url: str,
    body: object,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    accepted: frozenset[int] = frozenset(),
) -> HttpResponse:
    """A JSON request; raises DriverError unless it is answered by a 2xx or one of `accepted`."""
    data = None if body is None else msgspec.json.encode(body)
    all_headers = {"Accept": "application/json", **(headers or {})}
    if data is not None:
        all_headers["Content-Type"] = "application/json"
    try:
        answer = client.request(
            method,
            url,
            body=data,
            headers=all_headers,
            connect_timeout=timeout / 2,
            read_timeout=timeout,
            max_response=64 * 1024,
        )
    except (HttpError, OSError, ValueError) as exc:
        raise DriverError(str(exc) or type(exc).__name__) from exc
    if not answer.ok and answer.status not in accepted:
        raise DriverError(f"{method} answered with {answer.status}")
    return answer
