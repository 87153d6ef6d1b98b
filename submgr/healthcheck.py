# SPDX-License-Identifier: Apache-2.0
"""`python -m submgr.healthcheck` asks the daemon of this container whether it is alive.

It is for container runtimes without HTTP probes. It asks the platform interface, at the address in the configuration
file (CFG_FILE). The exit status is 0 or 1, and one line of output says why.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from typing import Any

from submgr.platform.config.file import ConfigError, inspect, read_text
from submgr.platform.config.schema import Section, fill, schema_of
from submgr.platform.config.tls import TlsSettings
from submgr.platform.http.listen import parse_listen
from submgr.settings.model import Local

ALIVE = "/ric/v1/health/alive"
TIMEOUT = 4.0
"""Seconds; the container runtime gives up a second later."""

_FILE = Section("", (schema_of(Local, "local", open=True), schema_of(TlsSettings, "tls", open=True)), open=True)


def address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the platform interface."""
    host, port = parse_listen(_configured(environment)["local"]["host"])
    return ("127.0.0.1" if host in ("", "0.0.0.0", "::") else host), port


def has_tls(environment: Mapping[str, str]) -> bool:
    """Whether the platform interface speaks https."""
    return fill(TlsSettings, _configured(environment)["tls"]).has("platform")


def _configured(environment: Mapping[str, str]) -> dict[str, Any]:
    """A file that cannot be used counts as no file: the daemon may run on values of an earlier content."""
    try:
        return inspect(read_text(environment["CFG_FILE"]), _FILE)[0].values
    except (KeyError, ConfigError):
        return inspect("", _FILE)[0].values


def why_not(host: str, port: int, timeout: float = TIMEOUT, tls: bool = False) -> str | None:
    """Why the daemon is not alive, in words; None when it is alive."""
    connection = _connection(host, port, timeout, tls)
    try:
        connection.request("GET", ALIVE)
        answer = connection.getresponse()
        body = answer.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException) as failed:
        return f"{host}:{port} does not answer: {failed}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{answer.status}: {body}"


def _connection(host: str, port: int, timeout: float, tls: bool) -> http.client.HTTPConnection:
    if not tls:
        return http.client.HTTPConnection(host, port, timeout=timeout)
    context = ssl.create_default_context()
    # it asks its own container, under an address that the certificate does not have
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def main() -> None:
    trouble = why_not(*address(os.environ), tls=has_tls(os.environ))
    print(trouble or "alive")
    sys.exit(trouble is not None)


if __name__ == "__main__":
    main()
