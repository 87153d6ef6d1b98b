# SPDX-License-Identifier: Apache-2.0
"""`python -m submgr.healthcheck` asks the daemon of this container whether it is alive.

It is for container runtimes without HTTP probes. It asks the platform interface, at the address in the configuration
file (CFG_FILE). The exit status is 0 or 1, and one line of output says why.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping

from submgr.platform.config.file import ConfigError, inspect, read_text
from submgr.platform.config.schema import Section, schema_of
from submgr.platform.http.listen import parse_listen
from submgr.settings.model import Local

ALIVE = "/ric/v1/health/alive"
TIMEOUT = 4.0
"""Seconds; the container runtime gives up a second later."""

_FILE = Section("", (schema_of(Local, "local", open=True),), open=True)


def address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the platform interface.

    A file that cannot be used counts as no file: the daemon may run on values of an earlier content.
    """
    try:
        parsed, _ = inspect(read_text(environment["CFG_FILE"]), _FILE)
        host, port = parse_listen(parsed.values["local"]["host"])
    except (KeyError, ConfigError, ValueError):
        host, port = parse_listen(Local().listen)
    return ("127.0.0.1" if host in ("", "0.0.0.0", "::") else host), port


def why_not(host: str, port: int, timeout: float = TIMEOUT) -> str | None:
    """Why the daemon is not alive, in words; None when it is alive."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", ALIVE)
        answer = connection.getresponse()
        body = answer.read(4096).decode(errors="replace")
    except (OSError, http.client.HTTPException) as failed:
        return f"{host}:{port} does not answer: {failed}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{answer.status}: {body}"


def main() -> None:
    trouble = why_not(*address(os.environ))
    print(trouble or "alive")
    sys.exit(trouble is not None)


if __name__ == "__main__":
    main()
