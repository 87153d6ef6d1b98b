# SPDX-License-Identifier: Apache-2.0
"""Writes families of prometheus_client in Prometheus' text format, version 0.0.4.

The library's own way to the same text stands in a module with servers and clients of HTTP, which a daemon has no use
for: to import them takes 2 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

_IN_TEXT = str.maketrans({"\\": r"\\", "\n": r"\n"})
_IN_LABELS = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def text_of(families: Iterable[Metric]) -> str:
    """Counters, gauges and histograms as text. When a series began is of use to OpenMetrics only, and left out."""
    return "".join(line for family in families for line in _lines(family))


def _lines(family: Metric) -> Iterator[str]:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    yield f"# HELP {name} {family.documentation.translate(_IN_TEXT)}\n# TYPE {name} {family.type}\n"
    for sample in family.samples:
        if not sample.name.endswith("_created"):
            value: str = floatToGoString(sample.value)  # type: ignore[no-untyped-call]
            yield f"{sample.name}{_labels(sample)} {value}\n"


def _labels(sample: Sample) -> str:
    if not sample.labels:
        return ""
    pairs = (f'{name}="{value.translate(_IN_LABELS)}"' for name, value in sorted(sample.labels.items()))
    return f"{{{','.join(pairs)}}}"
