# SPDX-License-Identifier: Apache-2.0
"""The address of a request: a URL, or its parts."""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from msgspec import Struct

from submgr.platform.http.errors import Endpoint, HttpConnectError

_HOST = re.compile(r"[!$&'()*+,.:;=_~%0-9A-Za-z-]+")


class Target(Struct, frozen=True):
    """An address in parts. `host`: a name or an IP address; `path`: with its query."""

    host: str
    port: int
    path: str
    scheme: str = "http"


@lru_cache(maxsize=1024)
def parse(url: str | Target) -> tuple[Endpoint, str]:
    """The endpoint to connect to and the request target to ask it for, percent-encoded where needed.

    Raises HttpConnectError when `url` is not an http or https address.
    """
    if isinstance(url, Target):
        scheme, host, port, path = url.scheme, url.host, url.port, url.path
    else:
        try:
            parts = urlsplit(url)
            given = parts.port
        except ValueError as exc:
            raise HttpConnectError(f"{url!r} is not a URL: {exc}") from exc
        scheme, host = parts.scheme, parts.hostname or ""
        port = given if given is not None else 443 if scheme == "https" else 80
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if scheme not in ("http", "https"):
        raise HttpConnectError(f"{url!r}: only http and https are known")
    if not host or not 0 < port < 65536 or not _HOST.fullmatch(host):
        raise HttpConnectError(f"{url!r} names no host and port to connect to")
    if not path.startswith("/"):
        path = f"/{path}"
    return Endpoint(scheme, host, port), quote(path, safe="/?:@!$&'()*+,;=-._~%")
