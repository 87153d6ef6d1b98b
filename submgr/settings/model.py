# SPDX-License-Identifier: Apache-2.0
"""The daemon's settings: the Go submgr's file loads unchanged, durations are seconds inside, truth values truth values.

Loaded once; a reload makes a new object in which only `logger` and `controls` differ, the rest needs a restart.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from submgr.platform.config.file import ConfigError, Parsed, Problem, inspect
from submgr.platform.masking import masked
from submgr.settings.schema import SCHEMA, TOKEN_VARIABLE

log = logging.getLogger(__name__)

RELOADED = ("logger", "controls")
"""Sections that apply at run time."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """The xApp REST listener, and how notifications are repeated."""

    listen: str
    retry_count: int
    """Tries in all."""
    retry_delay: float


@dataclass(frozen=True, slots=True)
class Local:
    """The platform REST listener."""

    listen: str


@dataclass(frozen=True, slots=True)
class Logger:
    """1 errors, 2 warnings, 3 information, 4 debugging."""

    level: int


@dataclass(frozen=True, slots=True)
class Rmr:
    """The RMR data listener. Sizes in bytes."""

    port: int
    max_size: int
    workers: int
    transport: str


@dataclass(frozen=True, slots=True)
class Rtmgr:
    """Where the Routing Manager is."""

    host: str
    port: int
    base_url: str


@dataclass(frozen=True, slots=True)
class Controls:
    """What procedures go by; a new one takes the values of the time it starts at. Times in seconds, tries in sends."""

    e2t_sub_req_timeout: float
    e2t_sub_del_req_time: float
    e2t_recv_msg_timeout: float
    e2t_max_sub_req_try_count: int
    e2t_max_sub_del_req_try_count: int
    check_e2_state: bool
    check_e2_ie_order: bool
    read_subs_from_db: bool
    db_try_count: int
    db_retry_forever: bool
    wait_route_cleanup: float
    max_ongoing_e2_procedures: int
    ric_requestor_id: int
    on_e2_loss: str
    notification_queue: int


@dataclass(frozen=True, slots=True)
class Sdl:
    """The database: redis, or a file (`path`) of SQLite, or memory."""

    backend: str
    path: str


@dataclass(frozen=True, slots=True)
class Debug:
    """Who may use the routes that change things: everybody (open), who has the token, nobody (off)."""

    write: str
    token: str


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the legacy counters' names begin with."""

    namespace: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the file and the environment say. `mec` and `meo` are checked by the MEC services themselves."""

    subscription: Subscription
    local: Local
    logger: Logger
    rmr: Rmr
    rtmgr: Rtmgr
    controls: Controls
    sdl: Sdl
    debug: Debug
    metrics: Metrics
    mec: Mapping[str, Any]
    meo: Mapping[str, Any]
    warnings: tuple[Problem, ...]
    """Oddities of the file that do no harm, for the log."""
    shown: Mapping[str, Any]
    """The settings in the file's own names and units."""

    def masked(self) -> dict[str, Any]:
        """The running configuration in the file's own names and units, secrets replaced."""
        copy: dict[str, Any] = masked(self.shown)
        return copy


def load(text: str, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from a file's content, the environment, and `overrides` ("sdl.backend": "memory") of the command line.

    Raises ConfigError with all mistakes.
    """
    parsed, problems = inspect(text, SCHEMA, overrides)
    values = parsed.values
    token = _token(parsed, environment, problems)
    if problems:
        raise ConfigError.of(problems, parsed.warnings)
    controls = values["controls"]
    return Settings(
        subscription=Subscription(
            values["subscription"]["host"], values["subscription"]["retryCount"], values["subscription"]["retryDelay"]
        ),
        local=Local(values["local"]["host"]),
        logger=Logger(values["logger"]["level"]),
        rmr=Rmr(
            values["rmr"]["protPort"], values["rmr"]["maxSize"], values["rmr"]["numWorkers"], values["rmr"]["transport"]
        ),
        rtmgr=Rtmgr(values["rtmgr"]["hostAddr"], values["rtmgr"]["port"], values["rtmgr"]["baseUrl"]),
        controls=Controls(
            e2t_sub_req_timeout=controls["e2tSubReqTimeout_ms"],
            e2t_sub_del_req_time=controls["e2tSubDelReqTime_ms"],
            e2t_recv_msg_timeout=controls["e2tRecvMsgTimeout_ms"],
            e2t_max_sub_req_try_count=controls["e2tMaxSubReqTryCount"],
            e2t_max_sub_del_req_try_count=controls["e2tMaxSubDelReqTryCount"],
            check_e2_state=controls["checkE2State"],
            check_e2_ie_order=controls["checkE2IEOrder"],
            read_subs_from_db=controls["readSubsFromDb"],
            db_try_count=controls["dbTryCount"],
            db_retry_forever=controls["dbRetryForever"],
            wait_route_cleanup=controls["waitRouteCleanup_ms"],
            max_ongoing_e2_procedures=controls["maxOngoingE2Procedures"],
            ric_requestor_id=controls["ricRequestorId"],
            on_e2_loss=controls["onE2Loss"],
            notification_queue=controls["notificationQueue"],
        ),
        sdl=Sdl(values["sdl"]["backend"], values["sdl"]["path"]),
        debug=Debug(values["debug"]["write"], token),
        metrics=Metrics(values["metrics"]["namespace"]),
        mec=values["mec"],
        meo=values["meo"],
        warnings=tuple(parsed.warnings),
        shown=_shown(values, token),
    )


def _token(parsed: Parsed, environment: Mapping[str, str], problems: list[Problem]) -> str:
    """The bearer token of the debug routes: from the file, a file of its own, or the environment, in this order."""
    debug = parsed.values["debug"]
    token: str = debug["token"]
    if not token and debug["tokenFile"]:
        try:
            token = Path(debug["tokenFile"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            problems.append(Problem(parsed.lines.get("debug.tokenFile"), "debug.tokenFile", f"unreadable: {exc}"))
            return ""
    token = token or environment.get(TOKEN_VARIABLE, "").strip()
    if debug["write"] == "token" and not token:
        message = f"token needs one: debug.token, debug.tokenFile or the environment variable {TOKEN_VARIABLE}"
        problems.append(Problem(parsed.lines.get("debug.write"), "debug.write", message))
    return token


def _shown(values: Mapping[str, Any], token: str) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for section, members in values.items():
        shown[section] = {
            name: round(value * 1000) if name.endswith("_ms") else value for name, value in members.items()
        }
    shown["rmr"]["protPort"] = f"tcp:{shown['rmr']['protPort']}"
    shown["debug"]["token"] = token
    return shown


@dataclass(frozen=True, slots=True)
class Reload:
    """What a changed file leads to: the settings from now on, and which changes in it have to wait for a restart."""

    settings: Settings
    need_restart: tuple[str, ...]


def reload(
    old: Settings, text: str, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
) -> Reload:
    """`old` with the logger's level and the controls of a new content. Raises ConfigError."""
    new = load(text, environment, overrides)
    waiting = [
        f"{section}.{name}"
        for section, members in new.shown.items()
        if section not in RELOADED
        for name in sorted({*members, *old.shown[section]})
        if members.get(name) != old.shown[section].get(name)
    ]
    shown = {section: (new if section in RELOADED else old).shown[section] for section in old.shown}
    settings = replace(old, logger=new.logger, controls=new.controls, warnings=new.warnings, shown=shown)
    return Reload(settings, tuple(waiting))


class LiveSettings:
    """The settings in force. `current` is one object that is replaced as a whole by a reload."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None
    ) -> None:
        self.current = settings
        self.reload_refused = False
        """Whether the last content of the file was refused, so that older values are in force than it has."""
        self._environment = environment
        self._overrides = overrides
        self._watchers: list[Callable[[Settings, Settings], None]] = []

    def on_change(self, callback: Callable[[Settings, Settings], None]) -> None:
        """Have `callback(old, new)` called after every reload. It must not block."""
        self._watchers.append(callback)

    def apply(self, text: str) -> bool:
        """Take a new content of the file. False: it was refused, and nothing has changed."""
        old = self.current
        try:
            reloaded = reload(old, text, self._environment, self._overrides)
        except ConfigError as exc:
            self.reload_refused = True
            log.error(
                "configuration refused, the old values stay",
                extra={"problems": [str(problem) for problem in exc.problems]},
            )
            return False
        self.reload_refused = False
        self.current = reloaded.settings
        for warning in reloaded.settings.warnings:
            log.warning("configuration", extra={"warning": str(warning)})
        if reloaded.need_restart:
            log.warning("configuration changes that need a restart", extra={"settings": list(reloaded.need_restart)})
        log.info("configuration reloaded", extra={"changed": _changes(old, self.current)})
        for callback in self._watchers:
            callback(old, self.current)
        return True


def _changes(old: Settings, new: Settings) -> list[str]:
    return [
        f"{section}.{field.name}: {before} -> {after}"
        for section in RELOADED
        for field in fields(getattr(new, section))
        if (before := getattr(getattr(old, section), field.name))
        != (after := getattr(getattr(new, section), field.name))
    ]
