# SPDX-License-Identifier: Apache-2.0
from submgr.adapters.metrics.observer import SdlObserver


def test_failures_count_under_the_names_of_the_dashboards() -> None:
    counted: list[str] = []
    seen: list[tuple[str, float]] = []
    watch = SdlObserver(counted.append, lambda operation, seconds: seen.append((operation, seconds)))
    for kind in ("write", "read", "remove"):
        watch.on_failure(kind)
    watch.on_latency("write", 0.25)
    assert counted == ["SDLWriteFailure", "SDLReadFailure", "SDLRemoveFailure"]
    assert seen == [("write", 0.25)]
