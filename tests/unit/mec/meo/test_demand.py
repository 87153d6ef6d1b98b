# SPDX-License-Identifier: Apache-2.0
"""Contexts go where there is room, where they may be, and near to their UEs."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mec.meo_world import World, app, rounds, wish

from mec.meo.demand import Demand
from mec.meo.errors import Rejected
from mec.meo.model import App, AppInfo, Pair, Platform, Site, Support, Wish
from mec.meo.occupancy import Occupancy
from mec.meo.placement import Choice, Rejection, Rules, candidates, place
from mec.meo.resources import Capacity, Resources
from mec.meo.settings import MeoSettings

NORWAY, SWEDEN = {"countryCode": "NO"}, {"countryCode": "SE"}
ZONES = ("z1", "z2")


def at(location: dict[str, Any]) -> Wish:
    return replace(wish(), location=location)


def put(world: World, name: str, **more: Any) -> None:
    world.inventory.add_platform(Platform(name, "noop", f"http://{name}/", **more))
    world.inventory.tell(name, load=0.2, key=0.8)


def places(world: World, location: dict[str, Any], times: int = 20) -> set[str]:
    return {world.meo.select(at(location)).site.name for _ in range(times)}


def reasons(world: World, wanted: Wish) -> dict[str, str]:
    with pytest.raises(Rejected) as caught:
        world.meo.admit(wanted)
    return caught.value.reasons


def test_a_full_platform_takes_no_more_and_says_so(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "small", capacity=Capacity(contexts=2))
    first, _ = world.meo.admit(wish()), world.meo.admit(wish())
    assert reasons(world, wish()) == {"small": "no room: it has 2 of 2 contexts"}
    world.meo.end(first.id)
    assert world.meo.admit(wish()).platform == "small"


def test_racing_requests_do_not_take_the_same_room(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "one", capacity=Capacity(contexts=3))
    put(world, "two", capacity=Capacity(contexts=4))
    asked = [world.ask(world.meo.admit, wish()) for _ in range(12)]
    world.finish()
    refused = [each.value for each in asked if isinstance(each.value, Rejected)]
    assert len(refused) == 5
    assert {name: world.meo.state.count_at(name) for name in ("one", "two")} == {"one": 3, "two": 4}
    assert all(reason.startswith("no room") for each in refused for reason in each.reasons.values())


def test_room_of_a_deployment_that_fails_is_free_again(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "one", capacity=Capacity(contexts=1))
    world.faults = ["deploy fails"]
    assert reasons(world, wish()) == {"one": "deployment failed: told to fail"}
    world.finish()
    assert world.meo.admit(wish()).platform == "one"


def test_memory_is_taken_once_by_all_contexts_of_an_application(world: World) -> None:
    big = replace(app("big"), resources=Resources(memory=300))
    world.inventory.add_app(big)
    world.inventory.add_app(replace(app("other"), resources=Resources(memory=300)))
    put(world, "one", capacity=Capacity(memory=512))
    first, second = world.meo.admit(wish("big")), world.meo.admit(wish("big"))
    assert reasons(world, wish("other")) == {"one": "no room: memory 300 MB asked for, 212 of 512 free"}
    world.meo.end(first.id)
    assert reasons(world, wish("other"))
    world.meo.end(second.id)
    assert world.meo.admit(wish("other")).platform == "one"


def test_a_round_moves_no_context_where_there_is_no_room(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "origin")
    context = world.meo.admit(wish())
    put(world, "full", capacity=Capacity(contexts=0))
    world.inventory.tell("origin", load=0.9)
    assert rounds(world) == []
    put(world, "roomy", capacity=Capacity(contexts=1))
    assert rounds(world) == [(context.id, "origin", "roomy")]
    assert world.meo.state.occupancy.used("roomy").contexts == 1
    assert world.meo.state.occupancy.used("origin").contexts == 0


def test_what_is_taken_is_known_after_a_restart(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "one", capacity=Capacity(contexts=1), latency={"z1": 3.0})
    world.meo.admit(wish())
    world.restart()
    assert reasons(world, wish()) == {"one": "no room: it has 1 of 1 contexts"}
    assert world.meo.state.platforms["one"].latency == {"z1": 3.0}


def test_a_platform_elsewhere_is_no_candidate(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "north", location=NORWAY)
    put(world, "east", location=SWEDEN)
    put(world, "somewhere")
    assert places(world, NORWAY) == {"north"}
    assert places(world, {"countryCode": "DK"}) == {"somewhere"}
    world.inventory.tell("somewhere", load=0.9)
    assert reasons(world, at({"countryCode": "DK"})) == {
        "north": "not at the appLocation that is asked for",
        "east": "not at the appLocation that is asked for",
        "somewhere": "load 0.9 is over 0.8",
    }
    assert places(world, {"zone": "z1"}) == {"north", "east"}


def test_an_application_stays_in_its_own_places(world: World) -> None:
    info = replace(app().info, extra={"appLocation": [NORWAY]})
    world.inventory.add_app(replace(app(), info=info))
    put(world, "north", location=NORWAY)
    put(world, "east", location=SWEDEN)
    assert {world.meo.select(wish()).site.name for _ in range(20)} == {"north"}
    world.inventory.tell("north", load=0.9)
    assert reasons(world, wish())["east"] == "not at an appLocation of the application"


def test_the_nearest_by_latency_then_the_same_zone(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "near", latency={"z1": 2.0})
    put(world, "as near", latency={"z1": 2.9})
    put(world, "far", latency={"z1": 20.0})
    put(world, "unknown")
    assert places(world, {"zone": "z1"}, 50) == {"near", "as near"}
    put(world, "same", location={"zone": "z1"})
    assert places(world, {"zone": "z1"}) == {"same"}
    world.inventory.tell_latency("same", "z1", 9.0)
    for name in ("near", "as near"):
        world.inventory.tell(name, load=0.81)
    assert places(world, {"zone": "z1"}) == {"same"}
    world.inventory.tell_latency("far", "z1", 1.0)
    assert places(world, {"zone": "z1"}) == {"far"}
    assert len(places(world, {"zone": "z2"}, 60)) == 3


def test_the_latency_that_an_application_needs(world: World) -> None:
    world.inventory.add_app(replace(app(), info=replace(app().info, extra={"appCharcs": {"latency": 10}})))
    put(world, "far", latency={"z1": 20.0})
    wanted = at({"zone": "z1"})
    assert reasons(world, wanted) == {"far": "latency 20 ms to zone z1 is over the 10 ms of the application"}
    world.inventory.tell_latency("far", "z1", 10.0)
    assert world.meo.admit(wanted).platform == "far"


def test_a_move_keeps_to_the_location(world: World) -> None:
    world.inventory.add_app(app())
    put(world, "north", location=NORWAY)
    context = world.meo.admit(at(NORWAY))
    put(world, "east", location=SWEDEN)
    world.inventory.tell("north", load=0.9)
    assert rounds(world) == []
    put(world, "west", location=NORWAY)
    assert rounds(world) == [(context.id, "north", "west")]


def test_the_margin_is_a_setting() -> None:
    world = World(MeoSettings(Rules(latency_margin=50.0), period=3600.0, seed=1))
    world.start()
    world.inventory.add_app(app())
    put(world, "near", latency={"z1": 2.0})
    put(world, "far", latency={"z1": 20.0})
    assert places(world, {"zone": "z1"}, 50) == {"near", "far"}
    world.stop()


LOCATIONS = st.none() | st.fixed_dictionaries(
    {}, optional={"zone": st.sampled_from(ZONES), "countryCode": st.sampled_from(["NO", "SE"])}
)
PLATFORMS = st.lists(
    st.builds(
        Platform,
        st.sampled_from([f"p{number}" for number in range(8)]),
        st.sampled_from(["one", "two"]),
        st.just("http://x/"),
        location=LOCATIONS,
        capacity=st.none() | st.builds(Capacity, st.none() | st.integers(0, 3), memory=st.none() | st.integers(0, 300)),
        latency=st.dictionaries(st.sampled_from(ZONES), st.floats(0.0, 100.0)),
    ),
    unique_by=lambda platform: platform.name,
)


@given(
    PLATFORMS,
    st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8),
    st.lists(st.integers(0, 7), max_size=12),
    LOCATIONS,
    st.integers(),
)
def test_either_one_of_the_nearest_that_fit_or_a_reason_for_each(
    platforms: list[Platform], loads: list[float], taken: list[int], wanted: dict[str, Any] | None, seed: int
) -> None:
    wanted_app = App(
        AppInfo("d", "n", "p", "1", "1", extra={"appCharcs": {"latency": 50}}),
        (Support("one"),),
        resources=Resources(memory=100),
    )
    sites = [Site(one.name, one.type, loads[index], 0.0, 0.5, 0.0) for index, one in enumerate(platforms)]
    occupancy = Occupancy({wanted_app.key: wanted_app})
    for number in taken:
        occupancy.enter(Pair(wanted_app.key, f"p{number}"))
    known = {one.name: one for one in platforms}

    def ask() -> Choice | Rejection:
        demand = Demand(wanted_app, wanted, known, occupancy, 1.0)
        of_type = lambda kind: [site for site in sites if site.type == kind]  # noqa: E731
        return place(wanted_app, of_type, Rules(), 0.0, Random(seed), None, lambda: sites, demand)

    outcome, demand = ask(), Demand(wanted_app, wanted, known, occupancy, 1.0)
    assert ask() == outcome
    fit = [site for site in candidates(Support("one"), sites, Rules(), 0.0) if site.type == "one"]
    fit = [site for site in fit if not demand.refusals(site.name)]
    assert fit == [
        site
        for site in candidates(Support("one"), sites, Rules(), 0.0)
        if site.type == "one" and demand.accepts(site.name)
    ]
    if isinstance(outcome, Rejection):
        assert not fit
        assert outcome.reasons.keys() == known.keys()
        assert all(outcome.reasons.values())
        return
    zone = (wanted or {}).get("zone")
    assert outcome.site in fit
    assert outcome.site in demand.nearest(fit)
    told = [known[site.name].latency[zone] for site in fit if zone in known[site.name].latency]
    if told and "countryCode" not in (wanted or {}) and zone in known[outcome.site.name].latency:
        assert known[outcome.site.name].latency[zone] <= min(told) + 1.0
