# SPDX-License-Identifier: Apache-2.0
"""Our histogram is exposed to the letter as that of prometheus_client."""

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from submgr.adapters.metrics.go_counters import exposition
from submgr.adapters.metrics.histogram import Histogram

BUCKETS = (0.0005, 0.005, 0.25, 1, 2, 60)
LABELS = st.tuples(st.sampled_from(["subscribe", "delete", 'a "name"']), st.sampled_from(["success", "failed"]))
VALUES = st.sampled_from(BUCKETS) | st.floats(min_value=0, max_value=1e6)


@given(st.lists(st.tuples(LABELS, VALUES), max_size=20))
def test_the_same_values_give_the_same_text(observed: list[tuple[tuple[str, str], float]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    words = ("submgr_procedure_duration_seconds", "Duration of procedures", ["kind", "outcome"])
    histogram = Histogram(*words, buckets=BUCKETS, registry=ours)
    model = prometheus_client.Histogram(*words, buckets=BUCKETS, registry=theirs)
    for labels, value in observed:
        histogram.observe(labels, value)
        model.labels(*labels).observe(value)
    assert exposition(ours) == exposition(theirs)


@given(st.lists(VALUES, max_size=20))
def test_without_labels_there_is_a_series_from_the_start(observed: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram("submgr_loop_stall_seconds", "Stalls", buckets=BUCKETS, registry=ours)
    model = prometheus_client.Histogram("submgr_loop_stall_seconds", "Stalls", buckets=BUCKETS, registry=theirs)
    for value in observed:
        histogram.observe((), value)
        model.observe(value)
    assert exposition(ours) == exposition(theirs)
