# SPDX-License-Identifier: Apache-2.0
"""Has drivers deploy, remove and look: within their time, with the credentials of the platform, and counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent

from mec.meo.drivers.base import Driver, DriverError, Observable, Report, Reported
from mec.meo.metrics import MeoMetrics
from mec.meo.model import App, Pair, Platform
from mec.meo.state import MeoState

DRIVER_TIMEOUT = 2.0
"""Seconds for one operation of a driver."""


class Driving:
    """Its operations raise DriverError, also when a driver has not answered in time."""

    def __init__(
        self,
        state: MeoState,
        driver_of: Callable[[Platform], Driver | None],
        with_credentials: Callable[[Platform], Platform],
        metrics: MeoMetrics,
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._driver_of = driver_of
        self._with_credentials = with_credentials
        self._metrics = metrics
        self._timeout = timeout
        self._clock = clock

    def reported(self, pair: Pair) -> bool:
        """Whether the platform may tell how far a deployment is."""
        return isinstance(self._driver_of(self._state.platforms[pair.platform]), Reported)

    def observable(self, pair: Pair) -> bool:
        """Whether `ready` can be asked."""
        return isinstance(self._driver_of(self._state.platforms[pair.platform]), Observable)

    def deploy(self, pair: Pair, report: Report | None, seconds: float | None = None) -> bool:
        """Deploys the application. Returns whether it is done, else the platform reports when it is."""
        with self._call("deploy", pair, seconds) as (driver, app, platform, limit):
            if report is not None and isinstance(driver, Reported):
                return driver.deploy_reported(app, platform, limit, report)
            driver.deploy(app, platform, limit)
        return True

    def remove(self, pair: Pair) -> None:
        """Removes the application."""
        with self._call("remove", pair) as (driver, app, platform, limit):
            driver.remove(app, platform, limit)

    def ready(self, pair: Pair) -> str | None:
        """As `Observable.ready`."""
        with self._call("ready", pair) as (driver, app, platform, limit):
            return driver.ready(app, platform, limit) if isinstance(driver, Observable) else None

    @contextmanager
    def _call(
        self, operation: str, pair: Pair, seconds: float | None = None
    ) -> Iterator[tuple[Driver, App, Platform, float]]:
        limit = self._timeout if seconds is None else min(self._timeout, seconds)
        if limit <= 0.0:
            raise DriverError("no time was left")
        app, platform = self._state.apps[pair.app_key], self._state.platforms[pair.platform]
        driver = self._driver_of(platform)
        began, result = self._clock(), "failed"
        timer = gevent.Timeout.start_new(limit)
        try:
            if driver is None:
                raise DriverError(f"there is no driver for platforms of type {platform.type}")
            yield driver, app, self._with_credentials(platform), limit
            result = "done"
        except gevent.Timeout as exc:
            if exc is not timer:
                raise
            raise DriverError(f"no answer within {limit:.1f} s") from None
        finally:
            timer.close()
            self._metrics.driver_calls.labels(operation, result).inc()
            self._metrics.driver_seconds.labels(operation).observe(self._clock() - began)
