# SPDX-License-Identifier: Apache-2.0
"""The daemon's settings, each declared once: where it stands in the file, its kind, its default, what it is for.

The attributes hold the program's values: durations in seconds, truth values as truth values. The names in the file
are the Go submgr's where it has the setting (`go=True`): its file loads unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from submgr.platform.config.file import Problem
from submgr.platform.config.outbound import OutboundSettings
from submgr.platform.config.schema import Section, open_section, schema_of, section, setting, without_effect
from submgr.platform.config.tls import TlsSettings
from submgr.platform.config.values import listen_address, milliseconds, number, one_of, text, texts, truth, whole
from submgr.platform.log_formats import FORMATS
from submgr.platform.masking import masked
from submgr.platform.store.base import BACKENDS
from submgr.settings.controls import Controls
from submgr.settings.kinds import base_url, collector, host, metric_namespace, rmr_port

TOKEN_VARIABLE = "SUBMGR_DEBUG_TOKEN"
"""The environment variable with the token of the debug routes, for a file that has none."""

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Subscription:
    """The xApp REST listener, and how notifications are repeated."""

    listen: str = setting("host", listen_address, ":8088", "where xApps subscribe")
    show_ids: bool = setting(
        "showIds",
        truth,
        True,
        "the list of subscriptions shows xApps each other's SubscriptionIds, and an id is all that a DELETE needs",
    )
    retry_count: int = setting("retryCount", whole(1, 1_000_000), 10, "tries of a notification in all", go=True)
    retry_delay: float = setting("retryDelay", number(0.001, 3600, "s"), 5.0, "time between two tries", go=True)


@dataclass(frozen=True, slots=True)
class Local:
    """The platform REST listener."""

    listen: str = setting(
        "host", listen_address, ":8080", "health, metrics, configuration, debugging, console", go=True
    )


@dataclass(frozen=True, slots=True)
class Logger:
    """How much is logged, and in which form."""

    level: int = setting("level", whole(1, 4), 3, "1 errors, 2 warnings, 3 information, 4 debugging", go=True)
    format: str = setting("format", one_of(*FORMATS), "auto", "json; text, for people; auto: text on a terminal")


@dataclass(frozen=True, slots=True)
class Rmr:
    """The RMR data listener."""

    port: int = setting("protPort", rmr_port, 4560, "where RMR messages arrive", go=True)
    max_size: int = setting(
        "maxSize", whole(1024, 1 << 24, "bytes"), 65536, "the largest message that is expected", go=True
    )
    transport: str = setting(
        "transport",
        one_of("wire", "librmr"),
        "wire",
        "wire: built in; librmr: the C library, in an image built with it",
    )


@dataclass(frozen=True, slots=True)
class Rtmgr:
    """Where the Routing Manager is."""

    host: str = setting("hostAddr", host, "service-ricplt-rtmgr-http", "the Routing Manager", go=True)
    port: int = setting("port", whole(1, 65535), 3800, "its port", go=True)
    base_url: str = setting("baseUrl", base_url, "/ric/v1", "the beginning of its paths", go=True)
    timeout: float = setting(
        "timeout_ms",
        milliseconds(100, 120_000),
        2.0,
        "how long a call waits for its answer; an xApp whose RMR port does not listen makes it take 10 to 20 s",
    )


@dataclass(frozen=True, slots=True)
class Sdl:
    """The database: redis, or a file (`path`) of SQLite, or memory."""

    backend: str = setting(
        "backend", one_of(*BACKENDS), "redis", "redis; sqlite: one process, a file; memory: gone at the end"
    )
    path: str = setting("path", text, "data/submgr.db", "the file of sqlite")


@dataclass(frozen=True, slots=True)
class HighAvailability:
    """A hot standby: several processes on one redis, one of which acts."""

    enabled: bool = setting("enabled", truth, False, "take part in the lease of the active process; needs redis")
    lease: float = setting(
        "leaseSeconds",
        number(1, 60, "s"),
        3.0,
        "how long the active process may act after a renewal of its lease, and a standby waits when there are none",
    )
    identity: str = setting(
        "identity", text, "", "the name of this process for people; empty: POD_NAME, else the name of the host"
    )


@dataclass(frozen=True, slots=True)
class Debug:
    """Who may use the routes that change things."""

    write: str = setting(
        "write",
        one_of("open", "token", "off"),
        "open",
        "who may use requests of port 8080 that change something: everybody, who has the token, nobody",
    )
    token: str = setting("token", text, "", f"the token; else from tokenFile, else from {TOKEN_VARIABLE}")
    token_file: str = setting("tokenFile", text, "", "a file that has the token, read again when it changes")
    origins: tuple[str, ...] = setting(
        "origins",
        texts,
        (),
        "names and origins of web pages that may change something, beside localhost, own names and addresses",
    )
    strict_octets: bool = setting(
        "strictOctets", truth, False, "true: a number that is no octet is a 400; false: its low octet is taken"
    )


@dataclass(frozen=True, slots=True)
class Metrics:
    """The names of the Go submgr's counters."""

    namespace: str = setting(
        "namespace", metric_namespace, "", "x turns SUBMGR_... and RMR_... into x_SUBMGR_... and x_RMR_..."
    )


@dataclass(frozen=True, slots=True)
class Otel:
    """Traces, sent to a collector of OpenTelemetry."""

    endpoint: str = setting(
        "endpoint",
        collector,
        "",
        "the collector, OTLP over HTTP, like http://otel-collector:4318; empty: no traces. Needs the extra otel",
    )
    sample_ratio: float = setting(
        "sampleRatio",
        number(0, 1),
        1.0,
        "the part of the traces that is recorded; an xApp that sends traceparent has decided for its own",
    )
    service_name: str = setting("serviceName", text, "submgr", "service.name of the traces")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the file and the environment say; made by `loader.load`.

    The sections of the Go submgr's file pass unknown keys with a warning (its releases differ in them); in a section
    that only this program has an unknown key is a mistake (`strict`). `mec` and `meo` are checked by the MEC services.
    """

    subscription: Subscription = section("subscription", Subscription, "xApp REST and notifications")
    local: Local = section("local", Local, "platform REST")
    logger: Logger = section("logger", Logger, "the log", reloadable=True)
    rmr: Rmr = section("rmr", Rmr, "RMR", ignored=(without_effect("numWorkers", whole(1, 1000), 1),))
    rtmgr: Rtmgr = section("rtmgr", Rtmgr, "the Routing Manager")
    controls: Controls = section(
        "controls",
        Controls,
        "procedures",
        reloadable=True,
        ignored=(
            without_effect("e2tRecvMsgTimeout_ms", milliseconds(0, _HOUR), 2.0),
            without_effect("waitRouteCleanup_ms", milliseconds(0, _HOUR), 5.0),
        ),
    )
    sdl: Sdl = section("sdl", Sdl, "the database", strict=True)
    ha: HighAvailability = section("ha", HighAvailability, "the hot standby", strict=True)
    debug: Debug = section("debug", Debug, "requests that change something", strict=True)
    tls: TlsSettings = section("tls", TlsSettings, "TLS", strict=True)
    metrics: Metrics = section("metrics", Metrics, "metrics", strict=True)
    otel: Otel = section("otel", Otel, "traces", strict=True)
    outbound: OutboundSettings = section(
        "outbound", OutboundSettings, "where peers may make us connect to", strict=True, reloadable=True
    )
    mec: Mapping[str, Any] = open_section("mec", "the MEC services")
    meo: Mapping[str, Any] = open_section("meo", "the MEC orchestrator", reloadable=True)
    warnings: tuple[Problem, ...] = ()
    """Oddities of the file that do no harm, for the log."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """The settings in the file's own names and units, secrets included."""

    def masked(self) -> dict[str, Any]:
        """The running configuration in the file's own names and units, secrets replaced."""
        copy: dict[str, Any] = masked(self.shown)
        return copy


SCHEMA = schema_of(Settings, ignored=(Section("db", open=True, description="accepted, without effect"),))
RELOADED = tuple(each.name for each in SCHEMA.members if isinstance(each, Section) and each.reloadable)
"""Sections that apply at run time."""
