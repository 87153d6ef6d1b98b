# SPDX-License-Identifier: Apache-2.0
"""Counting in steps comes to the same as counting anew."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mec.meo.model import App, AppInfo, Pair, Platform, Support
from mec.meo.occupancy import Occupancy
from mec.meo.resources import Capacity, Resources, Used

APPS = [
    App(AppInfo(name, name, "p", "1", "1"), (Support("noop"),), resources=Resources(0.1 * number, number, bandwidth=7))
    for number, name in enumerate("abc")
]
PAIRS = st.builds(Pair, st.sampled_from([app.key for app in APPS]), st.sampled_from(["p1", "p2"]))


@given(st.lists(st.tuples(PAIRS, st.booleans())))
def test_used(steps: list[tuple[Pair, bool]]) -> None:
    occupancy, here = Occupancy({app.key: app for app in APPS}), Counter[Pair]()
    for pair, enters in steps:
        if enters:
            occupancy.enter(pair)
            here[pair] += 1
        elif here[pair]:
            occupancy.leave(pair)
            here[pair] -= 1
        for name in ("p1", "p2"):
            apps = {app.key: here[Pair(app.key, name)] for app in APPS}
            there = [app for app in APPS if apps[app.key]]
            assert occupancy.used(name) == Used(
                sum(apps.values()),
                round(sum(app.resources.cpu or 0.0 for app in there), 6),
                sum(app.resources.memory or 0 for app in there),
                0,
                7 * sum(apps.values()),
            )


def test_an_application_that_changes_counts_as_it_is_now() -> None:
    apps = {APPS[2].key: APPS[2]}
    occupancy = Occupancy(apps)
    occupancy.enter(Pair(APPS[2].key, "p1"))
    assert occupancy.used("p1").memory == 2
    apps[APPS[2].key] = App(APPS[2].info, APPS[2].supports, resources=Resources(memory=50))
    occupancy.renew()
    assert occupancy.used("p1").memory == 50
    assert occupancy.shortages(Platform("p1", "noop", "", capacity=Capacity(contexts=1)), None) == [
        "no room: it has 1 of 1 contexts"
    ]
