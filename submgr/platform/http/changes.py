# SPDX-License-Identifier: Apache-2.0
"""Guards and audits the requests that change something, for whole applications.

A web page that somebody in the operator's network looks at can have the browser send requests to any address that it
reaches. The browser names the page's origin in them. Comparing it with the header Host is not enough: the owner of a
name may have it resolved to our address (DNS rebinding), and then both are this name. Programs send no Origin.
"""

import ipaddress
import socket
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request

from submgr.platform import audit
from submgr.platform.http.app import ApiError
from submgr.platform.http.peer import certificate_name, own_address

CHANGING = ("POST", "PUT", "PATCH", "DELETE")
"""The methods of HTTP that change something."""


def refuse_foreign_origins(app: Flask, origins: Iterable[str]) -> None:
    """Answers 403 to requests that change something and come from a web page of another origin.

    A page is our own when it comes from the address that its request goes to (Host), and this is localhost, this
    host's own name, the IP address that the connection goes to, or a name in `origins`. A whole origin in `origins`
    ("https://ric.example:8443") is allowed whatever Host says: that of a proxy before us.
    """
    known = {each.lower().rstrip("/") for each in origins} | {"localhost", socket.gethostname().lower()}

    def refuse() -> None:
        origin = request.headers.get("Origin")
        if request.method in CHANGING and origin is not None and not _is_own(origin.lower(), known):
            words = "requests that change something are not taken from web pages of another origin"
            raise ApiError(403, f"{words}: the setting origins names those that may send them")

    app.before_request(refuse)


def _is_own(origin: str, known: Collection[str]) -> bool:
    if origin in known:
        return "://" in origin
    try:
        parts = urlsplit(origin)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or parts.netloc != request.host.lower():
        return False
    try:
        return str(ipaddress.ip_address(host)) == own_address(request.environ)
    except ValueError:
        return host in known


def audit_changes(routes: Flask | Blueprint, unless: Collection[str] = ()) -> None:
    """Leaves a line in the audit for each request to `routes` that changes something: who, what, with which status.

    `unless`: the endpoints of what is no change, or too frequent to be told (telemetry).
    """

    def line(answer: Response) -> Response:
        if request.method not in CHANGING or request.endpoint in unless:
            return answer
        peer, outcome = request.remote_addr or "unknown", str(answer.status_code)
        more = {"path": request.path}
        if (name := certificate_name(request.environ)) is not None:
            more["certificate"] = name
        if answer.status_code < 400:
            audit.changed(request.method, peer=peer, outcome=outcome, **more)
        else:
            kind = f"{request.method} {request.endpoint} {outcome}"
            audit.refused(request.method, peer=peer, outcome=outcome, kind=kind, **more)
        return answer

    routes.after_request(line)
