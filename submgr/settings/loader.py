# SPDX-License-Identifier: Apache-2.0
"""Reads the daemon's settings from the content of a file, the environment and the command line."""

from collections.abc import Mapping
from typing import Any

from submgr.platform.config.file import ConfigError, Parsed, Problem, inspect
from submgr.platform.config.schema import fill, shown
from submgr.platform.secret_file import read_secret
from submgr.settings.model import SCHEMA, TOKEN_VARIABLE, Settings


def load(text: str, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from a file's content, the environment, and `overrides` ("sdl.backend": "memory") of the command line.

    Raises ConfigError with all mistakes.
    """
    parsed, problems = inspect(text, SCHEMA, overrides)
    debug = parsed.values["debug"]
    debug["token"] = _token(parsed, environment, problems)
    settings = fill(Settings, parsed.values, warnings=tuple(parsed.warnings), shown=shown(SCHEMA, parsed.values))
    problems += settings.tls.problems(parsed.lines)
    if parsed.values["ha"]["enabled"] and parsed.values["sdl"]["backend"] != "redis":
        message = f"needs sdl.backend redis, not {parsed.values['sdl']['backend']}: the lease and the records are in it"
        problems.append(Problem(parsed.lines.get("ha.enabled"), "ha.enabled", message))
    if problems:
        raise ConfigError.of(problems, parsed.warnings)
    return settings


def _token(parsed: Parsed, environment: Mapping[str, str], problems: list[Problem]) -> str:
    """The bearer token of the debug routes: from the file, a file of its own, or the environment, in this order."""
    debug = parsed.values["debug"]
    token: str = debug["token"]
    if token:
        debug["tokenFile"] = ""
    if debug["tokenFile"]:
        try:
            token = read_secret(debug["tokenFile"])
        except (OSError, ValueError) as exc:
            problems.append(Problem(parsed.lines.get("debug.tokenFile"), "debug.tokenFile", f"unreadable: {exc}"))
            return ""
    token = token or environment.get(TOKEN_VARIABLE, "").strip()
    if debug["write"] == "token" and not token:
        message = f"token needs one: debug.token, debug.tokenFile or the environment variable {TOKEN_VARIABLE}"
        problems.append(Problem(parsed.lines.get("debug.write"), "debug.write", message))
    return token
