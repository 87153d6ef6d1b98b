# SPDX-License-Identifier: Apache-2.0
"""Follows a page of documentation word by word: writes its files, runs its commands, compares what they print.

A file is a fenced block whose line before says its name: "`first.py`:". Commands are the lines of `console` blocks that
begin with "$ "; what they printed stands below each. What differs from run to run counts as equal when it does so in
the same way everywhere: ids, and the addresses that the page says.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAMED = re.compile(r"^`([\w.-]+)`:$")
_SENTINEL = "--- that was it ---"
_ID = re.compile(r"\b[0-9A-Za-z]{27}\b")
_NUMBERS = re.compile(
    r'((?:"E2EventInstanceId"|"SubscriptionId"|E2EventInstanceId|e2_event_instance_id)["=: ]+)[1-9]\d*'
)
_DATABASE = re.compile(r"/tmp/submgr-\w+/")
_MEASURED = re.compile(r'"(indications|measured)":{.*}}?')


class CommandFailed(Exception):
    """A command of the page had another exit status than 0."""


@dataclass(slots=True)
class Step:
    """A file to write (`name`, `text`), or a command with the lines that it printed. `line`: where it stands."""

    section: str
    line: int
    name: str = ""
    text: str = ""
    command: str = ""
    printed: list[str] = field(default_factory=list)


def steps(page: str) -> Iterator[Step]:
    """The steps of a page in their order. `line` is that of the command, or of the first line of the file."""
    lines = page.splitlines()
    section, name, at = "", "", 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            end = next(number for number in range(at + 1, len(lines)) if lines[number] == "```")
            if line == "```console":
                yield from _commands(section, lines, at + 1, end)
            elif name:
                yield Step(section, at + 1, name=name, text="\n".join([*lines[at + 1 : end], ""]))
            at = end
        elif line.startswith("#"):
            section = line.lstrip("# ")
        found = NAMED.match(line)
        name = found[1] if found else (name if not line else "")
        at += 1


def _commands(section: str, lines: list[str], at: int, end: int) -> Iterator[Step]:
    step: Step | None = None
    for number in range(at, end):
        if lines[number].startswith("$ "):
            if step is not None:
                yield step
            step = Step(section, number, command=lines[number][2:])
        elif step is not None:
            step.printed.append(lines[number])
    if step is not None:
        yield step


class Follower:
    """Runs steps in a shell in `directory`.

    `addresses`: what the page says to what it is in this run. `variables`: of the shell's environment.
    """

    def __init__(self, directory: Path, addresses: Mapping[str, str], variables: Mapping[str, str]) -> None:
        self._directory = directory
        self._addresses = addresses
        self._ids: dict[str, str] = {}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        self._shell = subprocess.Popen(
            ["bash"],
            cwd=directory,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Follower:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.close()
        self._shell.wait(20)
        self._shell.stdout.close()

    def begin(self) -> None:
        """A section begins: ids of earlier ones do not come again."""
        self._ids.clear()

    def follow(self, step: Step) -> list[str]:
        """Writes the file, or runs the command. Returns what the command printed, with the page's own addresses.

        Raises CommandFailed.
        """
        if step.name:
            (self._directory / step.name).write_text(self._here(step.text), encoding="utf-8")
            return []
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{self._here(step.command)}\nprintf '\\n%s %s\\n' '{_SENTINEL}' $?\n")
        self._shell.stdin.flush()
        printed: list[str] = []
        for line in self._shell.stdout:
            if line.startswith(_SENTINEL):
                if line.split()[-1] != "0":
                    raise CommandFailed(f"line {step.line + 1}: $ {step.command}\n" + "\n".join(printed))
                break
            printed.append(line.rstrip("\n"))
        return self._there("\n".join(printed).rstrip("\n")).splitlines()

    def differs(self, step: Step, printed: list[str]) -> str:
        """In words what the page has and the command did not print; "" when there is nothing."""
        wanted, got = "\n".join(step.printed), "\n".join(printed)
        for known, here in zip(_ID.findall(wanted), _ID.findall(got), strict=False):
            self._ids.setdefault(known, here)
        for known, here in self._ids.items():
            wanted = wanted.replace(known, here)
        if _alike(wanted) == _alike(got):
            return ""
        return f"line {step.line + 1}: $ {step.command}\nthe page has:\n{wanted}\nit printed:\n{got}"

    def _here(self, text: str) -> str:
        for page, run in self._addresses.items():
            text = re.sub(rf"(?<!\d){re.escape(page)}(?!\d)", run, text)
        for page, run in self._ids.items():
            text = text.replace(page, run)
        return text

    def _there(self, text: str) -> str:
        for page, run in self._addresses.items():
            text = re.sub(rf"(?<!\d){re.escape(run)}(?!\d)", page, text)
        return text


def _alike(text: str) -> str:
    """The text without numbers of E2 subscriptions, what was measured, and where the database is."""
    return _DATABASE.sub("/tmp/", _MEASURED.sub("...", _NUMBERS.sub(r"\1n", text)))


def with_printed(page: str, printed: Mapping[int, list[str]]) -> str:
    """The page with what its commands have printed, by the line of the command."""
    lines = page.splitlines()
    made: list[str] = []
    old: dict[int, int] = {step.line: len(step.printed) for step in steps(page) if step.command}
    at = 0
    while at < len(lines):
        made.append(lines[at])
        if at in printed:
            made.extend(printed[at])
            at += old[at]
        at += 1
    return "\n".join([*made, ""])
