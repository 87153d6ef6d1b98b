# SPDX-License-Identifier: Apache-2.0
"""Keeps the settings in force, and changes them when the file has a new content."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from msgspec import Struct

from submgr.platform import audit
from submgr.platform.config.file import ConfigError
from submgr.settings.loader import load
from submgr.settings.model import RELOADED, Settings

log = logging.getLogger(__name__)


class Reload(Struct, frozen=True):
    """The outcome of a changed file: the settings from now on, and the changed settings that need a restart."""

    settings: Settings
    need_restart: tuple[str, ...]


def reload(
    old: Settings, text: str, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Reload:
    """`old` with the sections RELOADED of a new content. Raises ConfigError."""
    new = load(text, environment, overrides)
    waiting = [
        f"{section}.{name}"
        for section, members in new.shown.items()
        if section not in RELOADED
        for name in sorted({*members, *old.shown[section]})
        if members.get(name) != old.shown[section].get(name)
    ]
    shown = {section: (new if section in RELOADED else old).shown[section] for section in old.shown}
    applied = {section: getattr(new, section) for section in RELOADED}
    settings = replace(old, **applied, warnings=new.warnings, shown=shown)
    return Reload(settings, tuple(waiting))


class LiveSettings:
    """The settings in force. A reload replaces `current` as a whole."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> None:
        self.current = settings
        self.reload_refused = False
        """Whether the last content of the file was refused, so that older values are in force."""
        self._environment = environment
        self._overrides = overrides
        self._watchers: list[Callable[[Settings, Settings], None]] = []
        self._refused: list[Callable[[list[str]], None]] = []
        self._checks: list[Callable[[Settings], object]] = []

    def check_with(self, check: Callable[[Settings], object]) -> None:
        """Has `check(new)` called before a reload takes effect. A ConfigError that it raises refuses the content."""
        self._checks.append(check)

    def on_change(self, callback: Callable[[Settings, Settings], None]) -> None:
        """Has `callback(old, new)` called after every reload. It must not block."""
        self._watchers.append(callback)

    def on_refused(self, callback: Callable[[list[str]], None]) -> None:
        """Has `callback` called with the mistakes of a content that is refused. It must not block."""
        self._refused.append(callback)

    def apply(self, text: str) -> bool:
        """Takes a new content of the file. False: the content was refused, and nothing has changed."""
        old = self.current
        try:
            reloaded = reload(old, text, self._environment, self._overrides)
            for check in self._checks:
                check(reloaded.settings)
        except ConfigError as exc:
            self.reload_refused = True
            problems = [str(problem) for problem in exc.problems]
            log.error(
                "configuration refused, the old values stay",
                extra={
                    "peer": "configuration file",
                    "outcome": "refused",
                    "problems": problems,
                },
            )
            for refused in self._refused:
                refused(problems)
            return False
        except Exception:  # a bug: whoever watches the file logs it, and the metric says so meanwhile
            self.reload_refused = True
            raise
        self.reload_refused = False
        self.current = reloaded.settings
        for warning in reloaded.settings.warnings:
            log.warning("configuration", extra={"warning": str(warning)})
        if reloaded.need_restart:
            log.warning("configuration changes that need a restart", extra={"settings": list(reloaded.need_restart)})
        changes = _changes(old, self.current)
        audit.changed("configuration reloaded", peer="configuration file", outcome="applied", changed=changes)
        for callback in self._watchers:
            callback(old, self.current)
        return True


def _changes(old: Settings, new: Settings) -> list[str]:
    changes = []
    for section in RELOADED:
        before, after = getattr(old, section), getattr(new, section)
        if isinstance(after, Mapping):
            # without their values: there may be tokens among them
            changes += [
                f"{section}.{name}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)
            ]
        else:
            changes += [
                f"{section}.{each.name}: {getattr(before, each.name)} -> {getattr(after, each.name)}"
                for each in fields(after)
                if getattr(before, each.name) != getattr(after, each.name)
            ]
    return changes
