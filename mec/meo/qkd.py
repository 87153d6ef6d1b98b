# SPDX-License-Identifier: Apache-2.0
"""Asks key management entities for the key availability of platforms (ETSI GS QKD 014, 5.1: Get status)."""

import logging
import math
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from gevent.pool import Pool

from mec.meo.metrics import MeoMetrics
from mec.meo.model import Platform, QkdSource
from mec.meo.period import Period
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError
from submgr.platform.http.json_body import NotJson, read_json
from submgr.platform.outbound_rules import Outbound
from submgr.platform.sparse_log import Sparsely
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.tls import client_files

log = logging.getLogger(__name__)

POLL_TIMEOUT = 2.0
"""Seconds for one request."""


class QkdError(Exception):
    """A key management entity gave no usable answer. The key availability of its platform grows stale."""


def availability(status: Any) -> float:
    """The share of keys that are there, from an answer to Get status; 0 without a positive max_key_count."""
    if not isinstance(status, dict):
        return 0.0
    stored: Any = status.get("stored_key_count")
    most: Any = status.get("max_key_count")
    if not _is_number(stored) or not _is_number(most):
        return 0.0
    return min(max(stored / most, 0.0), 1.0) if most > 0 else 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def kme_url(source: QkdSource) -> str:
    """The URL of a key management entity."""
    return source.kme if "://" in source.kme else f"https://{source.kme}"


def status_url(source: QkdSource, slave: str) -> str:
    """The URL for the status of the keys shared with a peer."""
    return f"{kme_url(source).rstrip('/')}/api/v1/keys/{quote(slave, safe='')}/status"


class QkdPoller:
    """Polls the source of every platform once a period, and gives `tell` the least availability over its peers.

    Platforms do not wait for each other.
    """

    def __init__(
        self,
        platforms: Callable[[], Iterable[Platform]],
        tell: Callable[[str, float], None],
        period: Period,
        metrics: MeoMetrics,
        outbound: Outbound | None = None,
    ) -> None:
        self._platforms = platforms
        self._tell = tell
        self.period = period
        self._metrics = metrics
        self._outbound = outbound
        self._clients: dict[QkdSource, HttpClient] = {}
        self._polls = Pool(64)
        self._polling: set[str] = set()
        self._sparsely = Sparsely(log)
        self._loop = SupervisedLoop("key availability", self._step)

    def start(self) -> None:
        """Begin to poll."""
        self._loop.start()

    def stop(self) -> None:
        """Poll no longer."""
        self._loop.stop()
        self._polls.kill()
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def look(self) -> None:
        """Begins a poll of every platform that is not being polled."""
        sources: set[QkdSource] = set()
        for platform in list(self._platforms()):
            if platform.qkd is None or platform.withdrawn:
                continue
            sources.add(platform.qkd)
            if platform.name not in self._polling:
                self._polling.add(platform.name)
                self._polls.spawn(self._poll, platform.name, platform.qkd)
        for unused in self._clients.keys() - sources:
            self._clients.pop(unused).close()

    def _step(self) -> None:
        self.look()
        self.period.wait()

    def _poll(self, name: str, source: QkdSource) -> None:
        try:
            least = min(self._ask(source, slave) for slave in source.slaves)
        except QkdError as exc:
            self._metrics.qkd_polls.labels("failed").inc()
            self._sparsely.log(logging.WARNING, name, "no key availability", platform=name, why=str(exc))
        else:
            self._metrics.qkd_polls.labels("done").inc()
            self._tell(name, least)
        finally:
            self._polling.discard(name)

    def _ask(self, source: QkdSource, slave: str) -> float:
        try:
            answer = self._client(source).request(
                "GET",
                status_url(source, slave),
                headers={"Accept": "application/json"},
                connect_timeout=POLL_TIMEOUT / 2,
                read_timeout=POLL_TIMEOUT / 2,
                max_response=64 * 1024,
            )
        except (HttpError, OSError) as exc:
            raise QkdError(f"{source.kme}: {exc}") from exc
        if not answer.ok:
            raise QkdError(f"{source.kme} answered with {answer.status}")
        try:
            return availability(read_json(answer.body))
        except NotJson as exc:
            raise QkdError(f"{source.kme} did not answer with JSON") from exc

    def _client(self, source: QkdSource) -> HttpClient:
        """A client with the source's certificates."""
        client = self._clients.get(source)
        if client is None:
            tls = client_files(source.ca, source.certificate, source.private_key)
            client = self._clients[source] = HttpClient(tls=tls, outbound=self._outbound)
        return client
