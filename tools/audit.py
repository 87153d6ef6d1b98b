# SPDX-License-Identifier: Apache-2.0
"""Asks for known vulnerabilities of the locked packages: `make audit`.

Exit status 1 for a vulnerability. A source that cannot be reached, or does not know our packages, is told plainly and
fails nothing: a build without a way to the outside world must not depend on it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

UNREACHABLE = ("ConnectionError", "ServiceError", "Max retries exceeded", "Failed to connect", "timed out")
PIP_AUDIT = (sys.executable, "-m", "pip_audit")


def audit(locks: list[str], command: tuple[str, ...] = PIP_AUDIT) -> int:
    """The exit status: 1 when something is known about a package, 2 when the audit itself does not work."""
    status = 0
    for lock in locks:
        # --disable-pip: a lock is complete; what it names is asked for, nothing is resolved or installed
        options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "15"]
        done = subprocess.run(
            [*command, *options, "--format", "json", "-r", lock], capture_output=True, text=True, check=False
        )
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            why = (done.stderr.strip().splitlines() or ["no answer"])[-1][:300]
            if not any(words in done.stderr for words in UNREACHABLE):
                print(f"audit: {lock}: the audit does not work: {why}")
                return 2
            print(f"audit: {lock}: NOT DONE, the source of known vulnerabilities cannot be reached from here: {why}")
            continue
        status = _report(lock, packages) or status
    return status


def _report(lock: str, packages: list[dict[str, Any]]) -> int:
    """Prints what is known about the packages of a lock. 1 when something is known."""
    skipped = [package for package in packages if "skip_reason" in package]
    if packages and len(skipped) == len(packages):
        print(f"audit: {lock}: NOT DONE, nothing is known here about any package: {skipped[0]['skip_reason'][:200]}")
        return 0
    for package in skipped:
        print(f"audit: {lock}: not done for {package['name']}: {package['skip_reason'][:200]}")
    known = [(package, each) for package in packages for each in package.get("vulns", [])]
    for package, each in known:
        fixed = ", ".join(each.get("fix_versions", [])) or "no version"
        print(f"audit: {lock}: {package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    print(f"audit: {lock}: {len(packages) - len(skipped)} packages, {len(known)} known vulnerabilities")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1:]))
