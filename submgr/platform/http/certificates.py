# SPDX-License-Identifier: Apache-2.0
"""Refuses the clients of a whole application that have no certificate."""

from flask import Flask, request

from submgr.platform.http.app import ApiError
from submgr.platform.http.peer import may_ask


def require_certificate(app: Flask) -> None:
    """Answers 403 to clients that have shown no certificate in their TLS handshake, but for the probes."""

    def refuse() -> None:
        if not may_ask(request.environ):
            raise ApiError(403, "a client certificate is needed (tls.clientCa)")

    app.before_request(refuse)
