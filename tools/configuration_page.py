# SPDX-License-Identifier: Apache-2.0
"""Writes `docs/configuration.md`, every setting from its declaration: `python -m tools.configuration_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mec.common.settings import SECTION as MEC
from mec.meo.settings import RESTART
from mec.meo.settings import SECTION as MEO
from submgr.platform.config.schema import Key, Section
from submgr.settings.model import SCHEMA

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

HEAD = """# Configuration

Every setting of `submgr` and `mec`. This page is made by `make docs` from the declarations in `submgr/settings` and
`mec`; a test fails when it is stale. What is behind them is in [operations.md](operations.md#settings) and
[mec.md](mec.md); the environment variables are there, too.

The file is YAML, given with `-f FILE` or in `CFG_FILE`. Letter case of the names does not matter; every setting is
optional; durations are seconds where the name does not end in `_ms`. `submgr check FILE` finds mistakes. The file of
the Go submgr loads unchanged: **Go** marks the settings that it has, too. **At once**: a changed file applies to the
running process; the other settings wait for a restart. `mec manager` reads the sections `mec`, `meo`, `outbound`,
`tls`, `logger` (`level`) and `sdl` of the same file.

"""


def sections() -> Iterator[Section]:
    """The sections of the file in the order of the declarations; those that other parts check, by their own."""
    own = {"mec": MEC, "meo": MEO}
    for member in SCHEMA.members:
        assert isinstance(member, Section)
        inner = own.get(member.name, member)
        yield Section(member.name, inner.members, inner.strict, inner.open, member.description, member.reloadable)


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(text for each in sections() for text in _section(each))


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.name}\n"
    yield f"{_sentence(section.description)} {_unknown(section)}\n"
    keys = [member for member in section.members if isinstance(member, Key)]
    if not keys:
        return
    yield "| setting | default | values | what it is | Go | at once |"
    yield "|---|---|---|---|---|---|"
    for key in keys:
        at_once = section.reloadable and key.effective and not (section.name == "meo" and key.name in RESTART)
        cells = [f"`{section.name}.{key.name}`", _default(key), _values(key), _description(key), _yes(key.go)]
        yield f"| {' | '.join(each.replace('|', chr(92) + '|') for each in cells)} | {_yes(at_once)} |"
    yield ""


def _unknown(section: Section) -> str:
    if section.open:
        return "Anything may stand in it."
    return "A name that is not here is a mistake." if section.strict else "A name that is not here is a warning."


def _default(key: Key) -> str:
    value = None if key.default is None else key.kind.show(key.default)
    return "" if value in ("", None) else f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if value < 1_000_000 else str(int(value))
    return str(value)


def _values(key: Key) -> str:
    return f"{key.kind.allowed} {key.kind.unit}".strip()


def _description(key: Key) -> str:
    instead = ""
    if key.effective and key.instead is not None:
        instead = f"; 0 or an empty text counts as `{_plain(key.kind.show(key.instead))}`"
    secret = "; masked wherever it is shown" if key.secret else ""
    return f"{key.description}{instead}{secret}"


def _sentence(text: str) -> str:
    return f"{text}." if text.startswith("xApp") else f"{text[:1].upper()}{text[1:]}."


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
