# SPDX-License-Identifier: Apache-2.0
"""The section `mec` of the configuration file, and the other sections that the MEC programs read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mec.common.ids import app_id
from submgr.platform.config.file import ConfigError, Parsed, Problem, inspect, inspect_values, read_text
from submgr.platform.config.outbound import OutboundSettings
from submgr.platform.config.schema import Key, Section, changed, fill, schema_of, setting
from submgr.platform.config.tls import TlsSettings
from submgr.platform.config.values import (
    Kind,
    checked_url,
    listen_address,
    mapping,
    number,
    one_of,
    optional_text,
    text,
    texts,
    truth,
    whole,
)
from submgr.platform.store.base import BACKENDS


def http_url(value: Any) -> str:
    """An http or https URL without its trailing slash."""
    return checked_url(text(value).strip().rstrip("/"), "http://host:5000")


def _app_urls(value: Any) -> Mapping[str, str]:
    urls: dict[str, str] = {}
    for name, url in mapping(value).items():
        try:
            urls[app_id(name)] = http_url(url)
        except ValueError as exc:
            raise ValueError(f"application {name!r}: {exc}") from None
    return urls


_MEC_ID = whole(0, 10**18 - 1)
_URL = Kind(http_url, "http or https URL")
_APP_URLS = Kind(_app_urls, "mapping of application ids to URLs")


@dataclass(frozen=True, slots=True)
class MecSettings:
    """Times in seconds, sizes in bytes. `mec_id` None: this MEC has no number, and no notification is its own."""

    enabled: bool = setting("enabled", truth, False, "MEC services in this process")
    host: str = setting("host", listen_address, ":8000", "where they listen")
    network: str = setting(
        "network",
        one_of("home", "foreign"),
        "home",
        "foreign: users that are not known here are asked for at their home",
    )
    mec_id: int | None = setting("mecId", _MEC_ID, None, "the number of this MEC; homeMecId at home")
    home_mec_id: int = setting("homeMecId", _MEC_ID, 5, "the number of the home MEC")
    proxy_url: str = setting("proxyUrl", _URL, "http://localhost:5000", "the proxy between MECs")
    controller_url: str = setting(
        "controllerUrl", _URL, "http://localhost:9002", "the S1AP controller's HTTP interface"
    )
    app_urls: Mapping[str, str] = setting(
        "appUrls", _APP_URLS, {}, "where the applications of this MEC answer, by application id"
    )
    data_file: str | None = setting("dataFile", optional_text, None, "users and UEs to begin with, JSON")
    additional_bytes: int = setting(
        "additionalBytes", whole(0, 100_000_000, "bytes"), 1_000_000, "size of the additional data of a user"
    )
    users_ttl: float = setting(
        "usersTtl", number(0.0, 86_400.0, "s"), 300.0, "how long an answer of the home MEC about a user is used"
    )
    implicit_detach: float = setting(
        "implicitDetach",
        number(60.0, 30 * 86_400.0, "s"),
        86_400.0,
        "after how long an idle UE that does not come back counts as detached: T3412 of the network and a margin",
    )
    origins: tuple[str, ...] = setting(
        "origins",
        texts,
        (),
        "names and origins of web pages that may change something, beside localhost and the own host and address",
    )
    log_identities: bool = setting("logIdentities", truth, False, "IMSIs in full in debug lines")
    replicas: int | None = setting(
        "replicas",
        whole(1, 1000),
        None,
        "how many processes are this MEC together, more than one need redis; none: any number of mec manager on redis",
    )
    lease: float = setting(
        "leaseSeconds",
        number(1, 60, "s"),
        3.0,
        "of several replicas: how long after the last sign of life of the active one another one follows it",
    )
    replica_name: str = setting(
        "replicaName",
        text,
        "",
        "of several replicas with TLS: the name in their certificate; empty: the address of each is in it",
    )

    @property
    def foreign(self) -> bool:
        """Whether this MEC asks the home MEC for its users."""
        return self.network == "foreign"


SECTION = schema_of(MecSettings, "mec", strict=True)


@dataclass(frozen=True, slots=True)
class MecConfig:
    """A whole configuration file. `sdl_backend`: None when the file names none. The orchestrator checks `meo`."""

    mec: MecSettings
    outbound: OutboundSettings
    meo: Mapping[str, Any]
    sdl_backend: str | None
    sdl_path: str | None
    log_level: int
    tls: TlsSettings = field(default_factory=TlsSettings)
    warnings: tuple[Problem, ...] = ()
    content: str = field(default="", repr=False)
    """The text that it was read from."""


_FILE = Section(
    "",
    (
        SECTION,
        schema_of(OutboundSettings, "outbound", strict=True),
        Section("meo", open=True),
        schema_of(TlsSettings, "tls", strict=True),
        Section("logger", (Key("level", whole(1, 4), 3),), open=True),
        Section("sdl", (Key("backend", one_of(*BACKENDS)), Key("path", text)), strict=True),
    ),
    open=True,
)


def from_mapping(values: Mapping[str, Any] | None) -> MecSettings:
    """The settings out of the raw section of a file (None: it has none). Raises ConfigError with all mistakes."""
    parsed, errors = inspect_values({"mec": dict(values or {})}, Section("", (SECTION,)))
    return _settings(parsed, errors)


def load(content: str, overrides: Mapping[str, Any] | None = None) -> MecConfig:
    """A configuration file's content, with `overrides` ("mec.host": ":8001") of the command line.

    Raises ConfigError with all mistakes.
    """
    parsed, errors = inspect(content, _FILE, overrides)
    tls = fill(TlsSettings, parsed.values["tls"])
    errors += tls.problems(parsed.lines)
    sdl = parsed.values["sdl"]
    if (parsed.values["mec"]["replicas"] or 1) > 1 and sdl["backend"] not in (None, "redis"):
        errors.append(replicas_need_redis(sdl["backend"], parsed.lines.get("mec.replicas")))
    mec = _settings(parsed, errors)
    return MecConfig(
        mec=mec,
        outbound=fill(OutboundSettings, parsed.values["outbound"]),
        meo=parsed.values["meo"],
        sdl_backend=sdl["backend"],
        sdl_path=sdl["path"],
        log_level=parsed.values["logger"]["level"],
        tls=tls,
        warnings=tuple(parsed.warnings),
        content=content,
    )


def replicas_need_redis(backend: str, line: int | None = None) -> Problem:
    """The mistake of several replicas with a database that each process has for itself."""
    return Problem(line, "mec.replicas", f"needs sdl.backend redis, not {backend}: replicas share what is in it")


def needs_restart(old: MecConfig, new: MecConfig) -> list[str]:
    """The settings in which two files differ and that wait for a restart; `meo` and `outbound` do not."""
    names = [f"mec.{name}" for name in changed(old.mec, new.mec)]
    names += [f"tls.{name}" for name in changed(old.tls, new.tls)]
    if (old.sdl_backend, old.sdl_path) != (new.sdl_backend, new.sdl_path):
        names.append("sdl")
    if old.log_level != new.log_level:
        names.append("logger.level")
    return names


def read(path: str | Path | None, overrides: Mapping[str, Any] | None = None) -> MecConfig:
    """`load` of a file (None: all defaults). Raises ConfigError."""
    if path is None:
        return load("", overrides)
    return load(read_text(path), overrides)


def _settings(parsed: Parsed, errors: list[Problem]) -> MecSettings:
    settings = fill(MecSettings, parsed.values["mec"])
    if settings.mec_id is None and not settings.foreign:
        settings = replace(settings, mec_id=settings.home_mec_id)
    if settings.foreign and settings.mec_id == settings.home_mec_id:
        message = f"a foreign MEC is not the home MEC {settings.mec_id}: it would ask itself for its users"
        errors.append(Problem(parsed.lines.get("mec.mecId"), "mec.mecId", message))
    if errors:
        raise ConfigError.of(errors, parsed.warnings)
    return settings
