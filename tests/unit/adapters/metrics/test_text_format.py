# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge

from submgr.adapters.metrics.histogram import Histogram
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.metrics.text_format import text_of

ODD = 'a "quoted" \\ text\nof two lines, é'


def text_of_the_library(registry: CollectorRegistry) -> str:
    """Without the times at which series began."""
    families = prometheus_client.generate_latest(registry).decode().split("# HELP ")
    return "# HELP ".join(family for family in families if not family.partition(" ")[0].endswith("_created"))


def test_the_text_is_that_of_the_library() -> None:
    registry = CollectorRegistry()
    counter = Counter("things", ODD, ["zone", "kind"], registry=registry)
    counter.labels("z", ODD).inc(3)
    counter.labels(zone="", kind="k").inc(1e300)
    Counter("plain", "A counter without labels", registry=registry).inc(0.5)
    gauge = Gauge("height", "A gauge", ["of"], registry=registry)
    for number, value in enumerate((0, -1.5, 1_000_000, 12345678.9, 1e-9, 1e16, *map(float, ("inf", "-inf", "nan")))):
        gauge.labels(str(number)).set(value)
    Gauge("nothing", "A gauge that nobody has set", ["label"], registry=registry)
    histogram = Histogram("seconds", "A histogram", ["of"], buckets=(0.01, 1, 2_500_000), registry=registry)
    histogram.observe((ODD,), 0.5)
    histogram.observe((ODD,), 1e9)
    prometheus_client.Histogram("older", "That of the library", registry=registry).observe(0.2)
    text = text_of(registry.collect())
    assert text == text_of_the_library(registry)
    assert text.count("\n") > 40


def test_also_of_all_metrics_of_the_daemon() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    assert text_of(registry.collect()) == text_of_the_library(registry)
