# SPDX-License-Identifier: Apache-2.0
"""Contents of the configuration file that are large, or that YAML cannot build."""

from __future__ import annotations

from pathlib import Path

from support.hostile.ordeal import Attacker

REFUSED = "configuration refused"
MISTAKE = "local: {host: nowhere}\n"
"""Before each content: whatever the rest is, the file is to be refused."""
_SECONDS = 12.0
"""In which the daemon has looked at the file twice, and read it."""

CONTENTS = {
    "a file of 930 kB": "".join(f"key_{number}: {{a: [1, 2, 3], b: text}}\n" for number in range(24_000)),
    "a list of 900 kB": "controls: [" + "1, " * 300_000 + "1]\n",
    "lists in lists": "controls: " + "[" * 3000 + "]" * 3000 + "\n",
    "anchors of anchors": "a0: &a0 [x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "a date that is none, a tag that is unknown": "controls: 2026-02-31\nlogger: !what {level: 3}\n",
    "an object of Python": 'logger: !!python/object/apply:os.system ["exit 1"]\n',
}


def content(attacker: Attacker, text: str) -> None:
    """The file has this content; `found`: whether the daemon has refused it."""
    log: Path = attacker.site.daemon.log_file
    before = log.read_text().count(REFUSED)
    attacker.site.daemon.config.write_text(f"{MISTAKE}{text}")
    attacker.extend(_SECONDS)
    while attacker.goes_on and not attacker.found:
        attacker.pause(0.1)
        attacker.found = log.read_text().count(REFUSED) > before


def was_refused(found: bool) -> None:
    """The daemon has read it, and said so."""
    assert found, "not refused in time: does anybody still look at the file?"
