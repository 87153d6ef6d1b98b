# SPDX-License-Identifier: Apache-2.0
"""Writes `docs/licences.md`, the licences of what is locked: `python -m tools.licences`.

The versions are those of the locks, the licences those of the packages installed here.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
RUNTIME = ("requirements.txt", "requirements-otel.txt")
TESTS = ("requirements-nodeps.txt", "requirements-test.txt")

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
_IDENTIFIER = re.compile(r"[A-Za-z0-9.-]+-[0-9][A-Za-z0-9.-]*|MIT|ISC")

SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "GPL 2": "GPL-2.0-only",
    "LGPL v2.1+": "LGPL-2.1-or-later",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages say in their own words -> the identifier of SPDX."""

ELSEWHERE = {"async-timeout": "Apache-2.0", "cffi": "MIT-0", "colorama": "BSD-3-Clause", "pycparser": "BSD-3-Clause"}
"""Packages that are installed on some machines only (see the markers in the locks)."""

INSIDE = {
    "gevent": "its wheels contain libev (BSD-2-Clause), libuv and c-ares (MIT)",
    "pyyaml": "its wheels contain libyaml (MIT)",
    "pycrate": "see above",
}

VENDORED = (
    ("uPlot", "1.6.32", "MIT", "uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f71615"),
    ("uPlot", "1.6.32", "MIT", "uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b1"),
    ("htm, with Preact 10 inside", "3.1.1", "Apache-2.0 AND MIT", "htm-preact.js", "72284e8e9079c87817145df1110f74e8"),
)
"""What lies in submgr/platform/http/vendor as it was published on npm: `dist/uPlot.*` of uplot, and
`preact/standalone.module.js` of htm. The last column is the beginning of the SHA-256 of the file."""

HEAD = """# Licences

This page is made by `make docs` from the locks and the metadata of the packages; a test fails when it is stale.

The project itself is under the Apache License, Version 2.0 (`LICENSE`, `NOTICE`).

* **The wheel** contains the code of this project, and the libraries of its web pages (the last table), unmodified, each
  with the text of its licence beside it. Installing it brings the packages below from where they come.
* **The image** contains this project, the packages of the first table, Python and the base image. The text of each
  package's licence is in its `NAME-VERSION.dist-info`; this page is in `/opt/submgr/share`, and `make sbom` lists what
  is there. The base image has its own notices in `/usr/share/doc`.
* **The image with librmr** contains the O-RAN SC's librmr as well (Apache-2.0), unchanged out of its Debian package.

**pycrate is under the LGPL**, version 2.1 or later. It is used as a library, unmodified, through its Python interface.
Nothing of it is in the wheel. Who passes on the image passes on pycrate, with its licence text (in the image) and its
source (it is installed as Python files, which are its source). Who receives the image may replace it by a version of
theirs: an image made from this one, or files mounted over its directory; nothing here prevents that. A changed pycrate
would have to be passed on with its changes. The Apache License of the rest is not touched by it. Everything else here
is permissive; certifi (MPL-2.0) is a list of certificates, used as it is.

"""


def pinned(name: str) -> dict[str, str]:
    """The packages of a lock, by their normalised names, with their versions."""
    found = _PINNED.findall((ROOT / name).read_text(encoding="utf-8"))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def licence_of(package: Distribution) -> str:
    """The licence in SPDX's words. Raises ValueError for words that are not known here."""
    told = package.metadata
    if expression := told.json.get("license_expression"):
        return str(expression)
    words = str(told.json.get("license", "")).strip()
    if not words or "\n" in words:
        names = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or [] if "License ::" in each]
        words = names[0] if names else ""
    if words in SPDX:
        return SPDX[words]
    if all(_IDENTIFIER.fullmatch(word) for word in re.split(" AND | OR ", words)):
        return words
    raise ValueError(f"{told['Name']}: what is {words!r} for SPDX? See tools/licences.py")


def _row(name: str, version: str) -> str:
    try:
        licence = ELSEWHERE.get(name) or licence_of(distribution(name))
    except PackageNotFoundError:
        raise ValueError(f"{name} is locked and not installed here: make venv, or add it to ELSEWHERE") from None
    return f"| {name} | {version} | {licence} | {INSIDE.get(name, '')} |"


def _table(locks: tuple[str, ...], without: dict[str, str]) -> list[str]:
    packages = {name: version for lock in locks for name, version in pinned(lock).items() if name not in without}
    return [
        "| package | version | licence | |",
        "|---|---|---|---|",
        *(_row(name, version) for name, version in sorted(packages.items())),
    ]


def page() -> str:
    """The whole page. Raises ValueError for a package whose licence is not known."""
    runtime = {name: version for lock in RUNTIME for name, version in pinned(lock).items()}
    lines = ["## What the daemon runs on", "", *_table(RUNTIME, {}), ""]
    lines += ["## What only tests use", "", "Neither in the wheel nor in the image.", "", *_table(TESTS, runtime), ""]
    lines += ["## What the browser loads", "", "In the wheel and in the image: `submgr/platform/http/vendor`.", ""]
    lines += ["| library | version | licence | file | SHA-256 begins with |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {version} | {licence} | `{file}` | `{tag}` |" for name, version, licence, file, tag in VENDORED
    ]
    return HEAD + "\n".join([*lines, ""])


def main() -> None:
    """Writes the page."""
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except ValueError as failed:
        sys.exit(str(failed))


if __name__ == "__main__":
    main()
