# SPDX-License-Identifier: Apache-2.0
"""Serves the pages of a package: files that are read once, under a policy that lets a page load nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable

from flask import Response, request
from msgspec import Struct

from submgr.platform.http.app import ApiError

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served. A file of another type in the directory is not."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""A page loads its own files, talks to this origin, is shown in no frame, and makes no HTML out of text. A browser
keeps the files, and asks each time whether they are still the same (ETag): after an upgrade nobody has a mixture."""


class StaticFile(Struct, frozen=True):
    """A file as it is sent. `tag`: of its content."""

    content: bytes
    content_type: str
    tag: str


class StaticFiles:
    """The files of a directory of `package`, by their names ("index.html", "pages/nodes.js").

    Beside them stand those that pages share, below "vendor/": uPlot, and Preact with htm.
    """

    def __init__(self, package: str, directory: str) -> None:
        shared = resources.files(__package__) / "vendor"
        found = [*_found(resources.files(package) / directory, ""), *_found(shared, "vendor/")]
        self.files: Mapping[str, StaticFile] = {name: _read(file, kind) for name, file, kind in found}

    def answer(self, name: str = "index.html") -> Response:
        """The answer with a file; 304 when the browser has it already. Raises ApiError 404.

        The name is looked up among the names of the files: no path of a request reaches the file system.
        """
        file = self.files.get(name)
        if file is None:
            raise ApiError(404, f"there is no file {name[:100]}")
        answer = Response(file.content, content_type=file.content_type, headers=_HEADERS)
        answer.set_etag(file.tag)
        answer.make_conditional(request)
        return answer


def _found(folder: Traversable, prefix: str) -> list[tuple[str, Traversable, str]]:
    found = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _found(each, f"{prefix}{each.name}/")
        elif kind := _TYPES.get(each.name[each.name.rfind(".") :]):
            found.append((prefix + each.name, each, kind))
    return found


def _read(file: Traversable, content_type: str) -> StaticFile:
    content = file.read_bytes()
    return StaticFile(content, content_type, hashlib.sha256(content).hexdigest()[:32])
