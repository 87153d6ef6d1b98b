# SPDX-License-Identifier: Apache-2.0
"""Makes the files of a release in a directory: `python -m tools.release DIRECTORY`, by `make release`.

Wheel and source distribution of the daemon, and the wheel of the client of xApps, are built from what is committed,
with the time of the commit, so that the same commit gives the same files. The checksums are made by `make`, when the
bill of materials is there, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from io import BytesIO
from pathlib import Path

from tools.licences import ROOT

CLIENT = "clients/python"
_VERSIONS = {
    "helm/submgr/Chart.yaml": (r"^version: (.+)$", r'^appVersion: "(.+)"$'),
    "Dockerfile": (r"^ARG VERSION=(.+)$",),
    f"{CLIENT}/pyproject.toml": (r'^version = "(.+)"$',),
    "docs/operations.md": (r"docker push registry\.example/ric/ric-submgr:(\S+)",),
}
"""Where else the version stands."""


def version() -> str:
    """That of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def mistakes() -> list[str]:
    """What is not ready for a release of this version, in words."""
    wanted, found = version(), []
    for name, patterns in _VERSIONS.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for pattern in patterns:
            told = re.findall(pattern, text, re.MULTILINE)
            if told != [wanted]:
                found.append(f"{name} has the version {', '.join(told) or 'of nobody'} instead of {wanted}")
    for name in ("CHANGELOG.md", "docs/upgrade.md"):
        if not re.search(rf"^## {re.escape(wanted)}\b", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE):
            found.append(f"{name} has no section {wanted}")
    return found


def build(target: Path) -> list[Path]:
    """Builds the files from the commit that is checked out. The directory has nothing else afterwards."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        old.unlink()
    time = _git("log", "-1", "--format=%ct").decode().strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": time}
    with tempfile.TemporaryDirectory(prefix="submgr-release-") as directory:
        with tarfile.open(fileobj=BytesIO(_git("archive", "HEAD"))) as committed:
            committed.extractall(directory)
        for project, kinds in ((".", ("--sdist", "--wheel")), (CLIENT, ("--wheel",))):
            command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(target.resolve()), "."]
            done = subprocess.run(
                command, cwd=Path(directory) / project, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(done.stdout + done.stderr)
    return sorted(target.iterdir())


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def main(target: str) -> None:
    """Refuses what is not ready."""
    found = mistakes()
    if _git("status", "--porcelain"):
        found.append("there are changes that are not committed")
    if found:
        sys.exit("\n".join(["not a release:", *found]))
    for path in build(Path(target)):
        print(path)


if __name__ == "__main__":
    main(sys.argv[1])
