# SPDX-License-Identifier: Apache-2.0
"""The counters of the Go submgr, under exactly the names that dashboards made for it expect.

The names have no labels and no `_total`. The counters of prometheus_client cannot have such names: so a collector
yields these, and `exposition` writes them.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from submgr.adapters.metrics.text_format import text_of
from submgr.platform.printable import IN_LABELS, escaped

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_RECEIVED = "The total number of {} messages received from xApp"
_TO_XAPP = "The total number of {} messages sent to xApp"
_TO_E2 = "The total number of {} messages sent to E2Term"
_RESENT = "The total number of {} messages resent to E2Term"
_FROM_E2 = "The total number of {} messages from E2Term"
_TIMER = "The total number of {} timer expires"
_TOTAL = "The total number of {}"

SUBMGR: Mapping[str, str] = MappingProxyType(
    {
        "SubReqFromXapp": _RECEIVED.format("SubscriptionRequest"),
        "SubRespToXapp": _TO_XAPP.format("SubscriptionResponse"),
        "SubFailToXapp": _TO_XAPP.format("SubscriptionFailure"),
        "RestSubReqFromXapp": _RECEIVED.format("Rest SubscriptionRequest"),
        "RestSubRespToXapp": _TO_XAPP.format("Rest SubscriptionResponse"),
        "RestSubFailToXapp": _TO_XAPP.format("Rest SubscriptionFailure"),
        "RestReqRejDueE2Down": _TOTAL.format("Rest SubscriptionRequest messages rejected because E2 was down"),
        "RestSubNotifToXapp": _TO_XAPP.format("successful Rest SubscriptionNotification"),
        "RestSubFailNotifToXapp": _TO_XAPP.format("failure Rest SubscriptionNotification"),
        "SubReqToE2": _TO_E2.format("SubscriptionRequest"),
        "SubReReqToE2": _RESENT.format("SubscriptionRequest"),
        "SubRespFromE2": _FROM_E2.format("SubscriptionResponse"),
        "PartialSubRespFromE2": _FROM_E2.format("partial SubscriptionResponse"),
        "SubFailFromE2": _FROM_E2.format("SubscriptionFailure"),
        "SubReqTimerExpiry": _TIMER.format("SubscriptionRequest"),
        "RouteCreateFail": _TOTAL.format("subscription route create failure"),
        "RouteCreateUpdateFail": _TOTAL.format("subscription route create update failure"),
        "MergedSubscriptions": _TOTAL.format("merged Subscriptions"),
        "DuplicateE2SubReq": _TOTAL.format("same E2 SubscriptionRequest messages from the same xApp"),
        "SubDelReqFromXapp": _RECEIVED.format("SubscriptionDeleteResponse"),
        "SubDelRespToXapp": _TO_XAPP.format("SubscriptionDeleteResponse"),
        "RestSubDelReqFromXapp": _RECEIVED.format("Rest SubscriptionDeleteRequest"),
        "RestSubDelRespToXapp": _TO_XAPP.format("Rest SubscriptionDeleteResponse"),
        "RestSubDelFailToXapp": _TO_XAPP.format("Rest SubscriptionDeleteFailure"),
        "SubDelReqToE2": _TO_E2.format("SubscriptionDeleteRequest"),
        "SubDelReReqToE2": _RESENT.format("SubscriptionDeleteRequest"),
        "SubDelRespFromE2": _FROM_E2.format("SubscriptionDeleteResponse"),
        "SubDelFailFromE2": _FROM_E2.format("SubscriptionDeleteFailure"),
        "SubDelReqTimerExpiry": _TIMER.format("SubscriptionDeleteRequest"),
        "SubDelRequiredFromE2": _FROM_E2.format("SubscriptionDeleteRequired"),
        "RouteDeleteFail": _TOTAL.format("subscription route delete failure"),
        "RouteDeleteUpdateFail": _TOTAL.format("subscription route delete update failure"),
        "UnmergedSubscriptions": _TOTAL.format("unmerged Subscriptions"),
        "SDLWriteFailure": _TOTAL.format("SDL write failures"),
        "SDLReadFailure": _TOTAL.format("SDL read failures"),
        "SDLRemoveFailure": _TOTAL.format("SDL read failures"),
        "E2StateChangedToUp": _TOTAL.format("E2 interface changes to connected state"),
        "E2StateChangedToDown": _TOTAL.format("E2 interface changes to disconnected state"),
        "E2StateChangedToUnderReset": _TOTAL.format("E2 interface changes to under reset state"),
    }
)
"""Counters named SUBMGR_<name>, with their help texts.

The texts are the user guide's (Metrics) to the letter, also where it says response for request (SubDelReqFromXapp) and
read for remove (SDLRemoveFailure): it is what is displayed today.
"""

RMR: Mapping[str, str] = MappingProxyType(
    {
        "RMR_Transmitted": _TOTAL.format("RMR messages sent"),
        "RMR_TransmitError": _TOTAL.format("RMR messages that could not be sent"),
        "RMR_TransmitRetry": _TOTAL.format("RMR sends that were tried again"),
        "RMR_Received": _TOTAL.format("RMR messages received"),
        "RMR_ReceiveError": _TOTAL.format("RMR messages that could not be received"),
        "RMR_SendWithRetryRetry": _TOTAL.format("RMR sends that were tried again until they succeeded or timed out"),
    }
)
"""Counters with these names."""

RMR_GAUGES: Mapping[str, str] = MappingProxyType(
    {
        "RMR_Enqueued": "RMR messages received that wait to be handled",
        "RMR_Dropped": "RMR messages received that were dropped because too many waited",
    }
)


class _GoMetric(Metric):
    """A family that `exposition` writes itself, under its exact name."""


class GoCounters(Collector):
    """Counts under the names of the Go submgr. All counters are there from the start, with zero.

    Every exposed name begins with `namespace` and `_`, unless `namespace` is empty.
    """

    def __init__(self, namespace: str = "") -> None:
        self._prefix = f"{namespace}_" if namespace else ""
        self._values = dict.fromkeys([*SUBMGR, *RMR, *RMR_GAUGES], 0.0)
        self._read: dict[str, Callable[[], float]] = {}

    def inc(self, name: str, n: int = 1) -> None:
        """Adds `n` to `name`, a name without the SUBMGR_ ("SubReqToE2", "RMR_Received"). KeyError: no such name."""
        self._values[name] += n

    def value(self, name: str) -> float:
        """The value of `name`."""
        read = self._read.get(name)
        return read() if read is not None else self._values[name]

    def read_from(self, name: str, read: Callable[[], float]) -> None:
        """Takes the value of `name` from `read()` whenever it is asked for: another part counts already."""
        if name not in self._values:
            raise KeyError(name)
        self._read[name] = read

    def collect(self) -> Iterable[Metric]:
        """All families, for prometheus_client."""
        for names, kind, prefix in ((SUBMGR, "counter", "SUBMGR_"), (RMR, "counter", ""), (RMR_GAUGES, "gauge", "")):
            for name, explanation in names.items():
                full = f"{self._prefix}{prefix}{name}"
                family = _GoMetric(full, explanation, kind)
                family.add_sample(full, {}, float(self.value(name)))
                yield family


def exposition(registry: CollectorRegistry) -> tuple[bytes, str]:
    """Everything in the registry in Prometheus' text format, and its Content-Type."""
    go: list[str] = []
    labelled: list[Metric] = []
    for family in registry.collect():
        if not isinstance(family, _GoMetric):
            labelled.append(family)
            continue
        go.append(f"# HELP {family.name} {family.documentation}\n# TYPE {family.name} {family.type}\n")
        go.extend(f"{sample.name} {_number(sample.value)}\n" for sample in family.samples)
    return escaped("".join(go) + text_of(labelled), IN_LABELS).encode(), CONTENT_TYPE


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
