# SPDX-License-Identifier: Apache-2.0
"""Builds what the daemon talks to its neighbours with: R-NIB, Routing Manager, RMR, xApps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from submgr.adapters.e2_termination import E2Termination
from submgr.adapters.journal.observer import JournalObserver
from submgr.adapters.metrics.monitoring import Monitoring
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.notifier import XappNotifier
from submgr.adapters.rnib.connection_state import LocalNodeState, NodeState
from submgr.adapters.routing_manager import RoutingManager
from submgr.core.commands import Notify
from submgr.core.model import Content
from submgr.core.registry import Registry
from submgr.orphans import Deliveries
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.config.tls import TlsSettings
from submgr.platform.lease.permit import MaySend
from submgr.platform.outbound_rules import Outbound
from submgr.platform.outbox import RetryPolicy
from submgr.platform.tls import TlsError, TlsFiles
from submgr.platform.version import version
from submgr.rmr.service import Rmr, RmrSettings
from submgr.rmr.service import build as build_rmr
from submgr.rmr.transport import TransportConfig
from submgr.runtime.worker import Ports
from submgr.settings.live import LiveSettings
from submgr.settings.model import Settings

if TYPE_CHECKING:
    from submgr.adapters.tracing.parts import Tracing
    from submgr.adapters.tracing.traces import Traces


def make_node_state(settings: Settings, environment: Mapping[str, str], monitoring: Monitoring) -> NodeState:
    """Who knows the connection states of the E2 nodes: R-NIB in redis, else this process itself, where all are up."""
    if settings.sdl.backend == "redis":
        # imported here for the same reason as the store of redis (submgr.platform.store.choice)
        from submgr.adapters.rnib.rnib_nodes import RnibNodeState
        from submgr.platform.store.sdl_channel import SdlChannel
        from submgr.platform.store.sdl_client import SdlSettings

        channel = SdlChannel(SdlSettings(environment, name="submgr-rnib"))
        return RnibNodeState(channel, count=monitoring.counters.inc)
    return LocalNodeState(everything_up=True, count=monitoring.counters.inc)


def make_outbound(live: LiveSettings) -> Outbound:
    """The rules for addresses that peers chose. They follow the settings."""
    outbound = Outbound(live.current.outbound.rules())

    def changed(old: Settings, new: Settings) -> None:
        if new.outbound != old.outbound:
            outbound.rules = new.outbound.rules()

    live.on_change(changed)
    return outbound


def make_notifier(
    live: LiveSettings,
    registry: Registry,
    metrics: Metrics,
    deliveries: Deliveries,
    outbound: Outbound,
    tls: TlsFiles | None,
    may_send: MaySend,
    observer: JournalObserver,
    traces: Traces | None,
) -> XappNotifier:
    """What notifies xApps. `deliveries`, `observer` and `traces` hear of each notification that has ended."""

    def ended(notification: Notify, delivered: bool, age: float, answered: bool) -> None:
        metrics.notification(delivered, age)
        deliveries.ended(notification, delivered, answered)
        if delivered:
            observer.notified(notification)
        if traces is not None:
            traces.notified(notification, delivered)

    def undelivered(notification: Notify, error: str, given_up: bool) -> None:
        observer.undelivered(notification, error, given_up)
        if traces is not None:
            traces.undelivered(notification, error)

    return XappNotifier(
        registry.quota,
        lambda: RetryPolicy(live.current.subscription.retry_count, live.current.subscription.retry_delay),
        ended,
        outbound=outbound,
        tls=tls,
        may_send=may_send,
        undelivered=undelivered,
        trace=None if traces is None else traces.headers,
    )


def make_routing_manager(
    settings: Settings, monitoring: Monitoring, tls: TlsFiles | None, may_send: MaySend, traces: Traces | None
) -> RoutingManager:
    """The client of the Routing Manager."""
    return RoutingManager(
        settings.rtmgr.host,
        settings.rtmgr.port,
        settings.rtmgr.base_url,
        timeout=settings.rtmgr.timeout,
        count=monitoring.counters.inc,
        latency=monitoring.metrics.rtmgr,
        tls=tls,
        may_send=may_send,
        trace=None if traces is None else traces.headers,
    )


def make_tracing(
    settings: Settings, environment: Mapping[str, str], words: Callable[[str, Content], str]
) -> Tracing | None:
    """Traces, where the configuration names a collector. `words` says what is subscribed.

    Raises ConfigError when the packages of the extra `otel` are not installed.
    """
    otel = settings.otel
    if not otel.endpoint:
        return None
    try:
        # imported here: the SDK is a third of a start, and most daemons have no collector
        from submgr.adapters.tracing.parts import Tracing
    except ImportError as exc:
        if (exc.name or "").partition(".")[0] not in ("opentelemetry", "requests"):
            raise
        problem = "needs the packages of the extra otel, which are not installed: pip install 'ric-submgr[otel]'"
        raise ConfigError([Problem(None, "otel.endpoint", problem)]) from exc
    return Tracing(
        otel.endpoint, otel.sample_ratio, otel.service_name, version(), environment.get("POD_NAME", ""), words
    )


def traced(ports: Ports, tracing: Tracing, settings: Settings) -> Ports:
    """The ports with a span around each call."""
    return replace(
        ports,
        records=tracing.records(ports.records, settings.sdl.backend),
        routes=tracing.routes(ports.routes, settings.rtmgr.host, settings.rtmgr.port),
        notifier=tracing.notifier(ports.notifier),
        sender=tracing.sender(ports.sender),
        observer=tracing.observer(ports.observer),
    )


def make_https_client(tls: TlsSettings) -> TlsFiles:
    """What calls over https are made with. Raises ConfigError when some are wanted and the files are of no use."""
    files = tls.client()
    if tls.rtmgr or tls.xapps:
        try:
            files.load()
        except TlsError as exc:
            raise ConfigError([Problem(None, "tls", str(exc))]) from exc
    return files


def make_rmr(
    settings: Settings, environment: Mapping[str, str], e2_termination: E2Termination, may_send: MaySend
) -> Rmr:
    """RMR with its routes. While `may_send` says no, nothing is sent to E2 nodes and xApps."""
    limits = TransportConfig(may_send=may_send)
    rmr_settings = RmrSettings(f"tcp:{settings.rmr.port}", settings.rmr.max_size, settings.rmr.transport, limits)
    rmr = build_rmr(rmr_settings, environment, e2_termination.received)
    e2_termination.connect(rmr)
    return rmr
