# SPDX-License-Identifier: Apache-2.0
"""Writes a bill of materials of the daemon as the image has it (CycloneDX, JSON): `make sbom`.

Runs in the environment of `requirements-tools.txt`. It installs what the locks say, and the project, into an
environment of their own, as the Dockerfile does, and has cyclonedx-py read that.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from tools.licences import ROOT, RUNTIME, licence_of

PROJECT = "ric-submgr"


def installed(directory: Path) -> Path:
    """An environment with what the image has; the path of its Python."""
    python = directory / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    pip += ["install", "--no-compile"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    for lock in RUNTIME:
        command = [*pip, "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(ROOT / lock)]
        subprocess.run(command, check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(ROOT)], check=True)
    return python


def licences(environment: Path) -> dict[str, str]:
    """The licences of the packages in an environment, by their names in lower case."""
    (packages,) = environment.glob("lib/python*/site-packages")
    return {package.metadata["Name"].lower(): licence_of(package) for package in distributions(path=[str(packages)])}


def complete(bill: str, told: dict[str, str]) -> str:
    """The bill with a licence for each component: packages say theirs in words that cyclonedx-py does not know."""
    content = json.loads(bill)
    for component in content["components"]:
        component["licenses"] = [_licence(told[component["name"].lower()])]
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _licence(words: str) -> dict[str, object]:
    one = re.fullmatch(r"[A-Za-z0-9.-]+", words)
    return {"license": {"id": words}} if one else {"expression": words}


def main(target: str) -> None:
    """Writes the bill to `target`."""
    with tempfile.TemporaryDirectory(prefix="submgr-sbom-") as directory:
        environment = Path(directory) / "environment"
        python = installed(environment)
        command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
        command += ["--mc-type", "application", "--output-reproducible", "--output-format", "JSON", str(python)]
        bill = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        text = complete(bill, licences(environment))
    validate(text)
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"{target}: {len(json.loads(text)['components'])} components")


def validate(text: str) -> None:
    """Exits when the bill is not what CycloneDX says it has to be."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    wrong = JsonStrictValidator(SchemaVersion.from_version(json.loads(text)["specVersion"])).validate_str(text)
    if wrong:
        sys.exit(f"not a valid bill of materials: {wrong}")


if __name__ == "__main__":
    main(sys.argv[1])
