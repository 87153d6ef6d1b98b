# SPDX-License-Identifier: Apache-2.0
"""The platform interface of a running daemon, as the commands of `submgr ctl` ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from submgr.platform.http.client import HttpClient, HttpStream
from submgr.platform.http.errors import HttpConnectError, HttpError
from submgr.platform.names import neighbours
from submgr.platform.tls import TlsError, TlsFiles

DEFAULT = "http://127.0.0.1:8080"
SERVER_VARIABLE = "SUBMGR_SERVER"
BASE = "/ric/v1"
CONNECT, ANSWER, LOOK = 5.0, 600.0, 30.0
"""Seconds. An import of many records, or a comparison with the database, may take minutes; a look may not."""
_LARGEST = 64 * 1024 * 1024

REFUSED, SILENT = 1, 3
"""Exit statuses: the daemon refused, or what was asked for is not so; nobody answers. 2 is a wrong command line."""


class Silent(click.ClickException):
    """Nobody answers."""

    exit_code = SILENT


class Refused(click.ClickException):
    """An answer that is no success; its `status` is that of HTTP."""

    exit_code = REFUSED

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Server:
    """`url`: of the platform interface. `token`: for requests that change something, "" for none. `https`: what it
    is asked with over https.

    The methods raise click.ClickException: Silent when nobody answers, Refused with the words of another answer.
    """

    def __init__(self, url: str, token: str = "", https: TlsFiles | None = None) -> None:
        self.url = url.rstrip("/")
        self._token = token
        tls = https if self.url.startswith("https:") else None
        try:
            if tls is not None:
                tls.load()
        except TlsError as error:
            raise click.ClickException(str(error)) from error
        self._http = HttpClient(connections=1, names=neighbours, tls=tls)

    def get(self, path: str, **parameters: object) -> Any:
        """The JSON of a successful answer to GET. A parameter that is None is left out."""
        given = {name: value for name, value in parameters.items() if value is not None}
        with self._asking("GET", f"{path}?{urlencode(given)}" if given else path, None, {}, LOOK) as answer:
            return msgspec.json.decode(answer.read(_LARGEST))

    def json(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The JSON of a successful answer."""
        with self._asking(method, path, body, headers) as answer:
            return msgspec.json.decode(answer.read(_LARGEST))

    def chunks(self, path: str) -> Iterator[bytes]:
        """The body of a successful answer to GET, in large pieces."""
        with self._asking("GET", path, None, {}) as answer:
            yield from answer.chunks(read_timeout=ANSWER)

    def stream(self, path: str, quiet: float, **headers: str) -> Iterator[bytes]:
        """The body of a successful answer to GET, as it comes. `quiet`: seconds for which nothing may come."""
        with self._asking("GET", path, None, headers, LOOK) as answer:
            yield from answer.pieces(quiet)

    def ready(self) -> bool:
        """Whether the daemon answers and is ready."""
        try:
            answer = self._http.request("GET", f"{self.url}{BASE}/health/ready", connect_timeout=CONNECT)
        except HttpError:
            return False
        return answer.status == 200

    @contextmanager
    def _asking(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], allowed: float = ANSWER
    ) -> Iterator[HttpStream]:
        authorization = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            with self._http.stream(
                method,
                f"{self.url}{BASE}/{path}",
                body=body,
                headers={**headers, **authorization},
                connect_timeout=CONNECT,
                read_timeout=allowed,
            ) as answer:
                if answer.status != 200:
                    raise Refused(answer.status, _words(answer.status, answer.read(_LARGEST)))
                yield answer
        except HttpConnectError as error:
            raise Silent(
                f"nobody answers at {self.url}: {error}\n"
                f"--server (or {SERVER_VARIABLE}) names the platform port of the Subscription Manager, as a rule 8080"
            ) from error
        except HttpError as error:
            raise Silent(f"{self.url}: {error}") from error
        except msgspec.DecodeError as error:
            raise click.ClickException(f"{self.url} does not answer as a Subscription Manager: {error}") from error


def _words(status: int, body: bytes) -> str:
    """What an error answer says, with a line for each mistake."""
    try:
        answer = msgspec.json.decode(body)
        lines = [f"{status}: {answer['message']}"]
        lines += [f"  {each['field']}: {each['message']}" for each in answer.get("errors", ())]
    except (msgspec.DecodeError, KeyError, TypeError):
        return f"{status}: {body[:500].decode(errors='replace')}"
    if status == 401:
        lines.append("--token-file, or SUBMGR_DEBUG_TOKEN, names the token")
    if status == 404 and answer["message"].startswith("there is no /"):
        lines.append("--server names the platform port (as a rule 8080) of a Subscription Manager of this version")
    return "\n".join(lines)


def token_of(file: str | None, environment: Mapping[str, str]) -> str:
    """The token in `file`, else that of the environment. Raises click.ClickException."""
    if file is None:
        return environment.get("SUBMGR_DEBUG_TOKEN", "").strip()
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
