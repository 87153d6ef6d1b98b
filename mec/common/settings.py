# SPDX-License-Identifier: Apache-2.0
"""The `mec` section of the configuration file, and what else of that file the MEC programs go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from mec.common.ids import app_id
from submgr.platform.config.file import ConfigError, Key, Parsed, Problem, Section, inspect
from submgr.platform.config.values import mapping, number, one_of, text, truth, whole
from submgr.platform.http.server import parse_listen
from submgr.platform.store.choice import BACKENDS

_MEC_ID = whole(0, 10**18 - 1)


@dataclass(frozen=True, slots=True)
class MecSettings:
    """Times in seconds, sizes in bytes. `mec_id` None: this MEC has no number, and no notification is its own.

    `app_urls`: where the applications of this MEC answer, by application id. `users_ttl`: how long what the home MEC
    said of a user is used. `log_identities`: an IMSI stands in full in debug lines.
    """

    enabled: bool = False
    host: str = ":8000"
    network: str = "home"
    mec_id: int | None = None
    home_mec_id: int = 5
    proxy_url: str = "http://localhost:5000"
    controller_url: str = "http://localhost:9002"
    app_urls: Mapping[str, str] = field(default_factory=dict)
    data_file: str | None = None
    additional_bytes: int = 1_000_000
    users_ttl: float = 300.0
    log_identities: bool = False

    @property
    def foreign(self) -> bool:
        """Whether users are looked for at their home MEC."""
        return self.network == "foreign"


@dataclass(frozen=True, slots=True)
class MecConfig:
    """A whole file: `sdl_backend` None when it does not say which; `meo` is checked by the orchestrator itself."""

    mec: MecSettings
    meo: Mapping[str, Any]
    sdl_backend: str | None
    sdl_path: str | None
    log_level: int
    warnings: tuple[Problem, ...] = ()


def http_url(value: Any) -> str:
    """An http or https URL without its trailing slash."""
    url = text(value).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"{url!r} is not a URL: {exc}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f'{url!r} is not a URL like "http://host:5000"')
    return url


def app_urls(value: Any) -> Mapping[str, str]:
    """Application ids to URLs."""
    urls: dict[str, str] = {}
    for name, url in mapping(value).items():
        try:
            urls[app_id(name)] = http_url(url)
        except ValueError as exc:
            raise ValueError(f"application {name!r}: {exc}") from None
    return urls


def _listen(value: Any) -> str:
    listen = text(value)
    parse_listen(listen)
    return listen


SECTION = Section(
    "mec",
    (
        Key("enabled", truth, False),
        Key("host", _listen, ":8000"),
        Key("network", one_of("home", "foreign"), "home"),
        Key("mecId", _MEC_ID),
        Key("homeMecId", _MEC_ID, 5),
        Key("proxyUrl", http_url, "http://localhost:5000"),
        Key("controllerUrl", http_url, "http://localhost:9002"),
        Key("appUrls", app_urls, {}),
        Key("dataFile", text),
        Key("additionalBytes", whole(0, 100_000_000), 1_000_000),
        Key("usersTtl", number(0.0, 86_400.0), 300.0),
        Key("logIdentities", truth, False),
    ),
    strict=True,
)

_FILE = Section(
    "",
    (
        SECTION,
        Section("meo", open=True),
        Section("logger", (Key("level", whole(1, 4), 3),), open=True),
        Section("sdl", (Key("backend", one_of(*BACKENDS)), Key("path", text)), strict=True),
    ),
    open=True,
)


def from_mapping(values: Mapping[str, Any] | None) -> MecSettings:
    """The settings out of the raw section of a file (None: it has none). Raises ConfigError with all mistakes."""
    parsed, errors = inspect(yaml.safe_dump({"mec": dict(values or {})}), Section("", (SECTION,)))
    # the lines are not those of the file
    mistakes = [Problem(None, problem.path, problem.message) for problem in errors]
    return _settings(parsed, mistakes)


def load(content: str, overrides: Mapping[str, Any] | None = None) -> MecConfig:
    """A configuration file's content, with `overrides` ("mec.host": ":8001") of the command line.

    Raises ConfigError with all mistakes.
    """
    parsed, errors = inspect(content, _FILE, overrides)
    mec = _settings(parsed, errors)
    sdl = parsed.values["sdl"]
    return MecConfig(
        mec=mec,
        meo=parsed.values["meo"],
        sdl_backend=sdl["backend"],
        sdl_path=sdl["path"],
        log_level=parsed.values["logger"]["level"],
        warnings=tuple(parsed.warnings),
    )


def read(path: str | Path | None, overrides: Mapping[str, Any] | None = None) -> MecConfig:
    """`load` of a file (None: all defaults). Raises ConfigError."""
    if path is None:
        return load("", overrides)
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([Problem(None, "", f"{path} cannot be read: {exc}")]) from exc
    return load(content, overrides)


def _settings(parsed: Parsed, errors: list[Problem]) -> MecSettings:
    values = parsed.values["mec"]
    mec_id = values["mecId"]
    if mec_id is None and values["network"] == "home":
        mec_id = values["homeMecId"]
    if values["network"] == "foreign" and mec_id == values["homeMecId"]:
        message = f"a foreign MEC is not the home MEC {mec_id}: it would ask itself for its users"
        errors.append(Problem(parsed.lines.get("mec.mecId"), "mec.mecId", message))
    if errors:
        raise ConfigError.of(errors, parsed.warnings)
    return MecSettings(
        enabled=values["enabled"],
        host=values["host"],
        network=values["network"],
        mec_id=mec_id,
        home_mec_id=values["homeMecId"],
        proxy_url=values["proxyUrl"],
        controller_url=values["controllerUrl"],
        app_urls=values["appUrls"],
        data_file=values["dataFile"] or None,
        additional_bytes=values["additionalBytes"],
        users_ttl=values["usersTtl"],
        log_identities=values["logIdentities"],
    )
