# SPDX-License-Identifier: Apache-2.0
"""`python -m submgr.healthcheck`: is the daemon of this container alive? For runtimes without probes of their own.

Asks the platform interface where the configuration file (CFG_FILE) has it. Exit status 0 or 1, one line on why.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from submgr.platform.config.file import ConfigError, Key, Section, inspect
from submgr.platform.config.values import text
from submgr.platform.http.server import parse_listen

ALIVE = "/ric/v1/health/alive"
TIMEOUT = 4.0
"""Seconds; the container runtime gives up a second later."""

_DEFAULT = ":8080"
_FILE = Section("", (Section("local", (Key("host", text, _DEFAULT),), open=True),), open=True)


def address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Where the platform interface is. A file that cannot be used counts as none: a daemon may run on older values."""
    try:
        parsed, _ = inspect(Path(environment["CFG_FILE"]).read_text(encoding="utf-8"), _FILE)
        host, port = parse_listen(parsed.values["local"]["host"])
    except (KeyError, OSError, UnicodeDecodeError, ConfigError, ValueError):
        host, port = parse_listen(_DEFAULT)
    return ("127.0.0.1" if host in ("", "0.0.0.0", "::") else host), port


def why_not(host: str, port: int, timeout: float = TIMEOUT) -> str | None:
    """Why it is not alive; None when it is."""
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
