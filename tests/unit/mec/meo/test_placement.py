# SPDX-License-Identifier: Apache-2.0
"""Candidates, scores, the weighted draw, and who is to be relieved."""

import math
from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.meo.model import App, AppInfo, Site, Support
from mec.meo.placement import (
    SCORES,
    Choice,
    Rejection,
    Rules,
    candidates,
    draw,
    place,
    refusals,
    score,
    shortcomings,
    violation,
    violations,
)

NOW = 100.0
RULES = Rules()
ANY = Support("kind")
SHARES = st.floats(0.0, 1.0)


def site(name: str = "p", load: float | None = 0.5, key: float | None = 0.5, **more: Any) -> Site:
    return Site(name, "kind", load, more.pop("load_at", NOW), key, more.pop("key_at", NOW), **more)


def app(*supports: Support) -> App:
    return App(AppInfo("d", "n", "p", "1", "1"), supports)


@pytest.mark.parametrize(
    ("one", "why_not"),
    [
        (site(load=0.8, key=0.1), None),
        (site(load=0.0, key=1.0), None),
        (site(load=0.8001), "load 0.8001 is over 0.8"),
        (site(key=0.0999), "key availability 0.0999 is under 0.1"),
        (site(load=None), "load was never told"),
        (site(key=None), "key availability was never told"),
        (site(load_at=NOW - 30.0), None),
        (site(load_at=NOW - 30.1), "load was told 30 s ago"),
        (site(key_at=NOW - 31.0), "key availability was told 31 s ago"),
        (site(withdrawn=True), "withdrawn"),
    ],
)
def test_candidates_are_within_the_limits(one: Site, why_not: str | None) -> None:
    assert candidates(ANY, [one], RULES, NOW) == ([] if why_not else [one])
    reasons = refusals(ANY, one, RULES, NOW)
    assert (why_not in "; ".join(reasons)) if why_not else not reasons


@pytest.mark.parametrize(
    ("support", "names"),
    [
        (Support("kind"), ["a", "b", "c"]),
        (Support("kind", blacklist=frozenset("b")), ["a", "c"]),
        (Support("kind", whitelist=frozenset("ab")), ["a", "b"]),
        (Support("kind", whitelist=frozenset("ab"), blacklist=frozenset("b")), ["a"]),
        (Support("kind", whitelist=frozenset(["nobody"])), []),
    ],
)
def test_lists_of_the_application(support: Support, names: list[str]) -> None:
    sites = [site(name) for name in "abc"]
    assert [found.name for found in candidates(support, sites, RULES, NOW)] == names
    for one in sites:
        assert (not refusals(support, one, RULES, NOW)) == (one.name in names) == support.allows(one.name)


@pytest.mark.parametrize(
    ("name", "value"), [("product", 0.75 * 0.4), ("load", 0.75), ("key", 0.4), ("weighted", 0.3 * 0.75 + 0.7 * 0.4)]
)
def test_scores(name: str, value: float) -> None:
    assert score(site(load=0.25, key=0.4), Rules(score=name, alpha=0.3)) == pytest.approx(value)


def test_the_draw_is_in_proportion_to_the_scores() -> None:
    sites = [site(str(number), load=0.0, key=weight) for number, weight in enumerate((0.1, 0.2, 0.3, 0.4, 1.0))]
    rng, draws = Random(7), 20_000
    drawn = Counter(draw(sites, RULES, rng).site.name for _ in range(draws))
    assert chi_square(drawn, {one.name: one.key or 0.0 for one in sites}) < QUANTILE[4]


def test_the_draw_is_uniform_when_all_scores_are_zero() -> None:
    sites = [site(name, load=1.0) for name in "abcd"]
    rng = Random(7)
    drawn = Counter(draw(sites, Rules(max_load=1.0), rng).site.name for _ in range(20_000))
    assert chi_square(drawn, dict.fromkeys("abcd", 1.0)) < QUANTILE[3]


def test_a_draw_in_other_proportions_would_be_noticed() -> None:
    rng = Random(7)
    drawn = Counter(rng.choices("abcd", [1.0, 1.0, 1.0, 1.1], k=20_000))
    assert chi_square(drawn, dict.fromkeys("abcd", 1.0)) > QUANTILE[3]


QUANTILE = {3: 16.27, 4: 18.47}
"""Of the chi-square distribution: exceeded once in 1000 times, by degrees of freedom."""


def chi_square(drawn: Counter[str], weights: dict[str, float]) -> float:
    total, draws = sum(weights.values()), sum(drawn.values())
    expected = {name: draws * weight / total for name, weight in weights.items()}
    return sum((drawn[name] - expected[name]) ** 2 / expected[name] for name in weights)


def test_zero_score_is_never_drawn_beside_others() -> None:
    sites = [site("zero", load=1.0), site("one", load=0.5)]
    rng = Random(1)
    assert {draw(sites, Rules(max_load=1.0), rng).site.name for _ in range(500)} == {"one"}


def test_a_seed_makes_draws_repeatable() -> None:
    sites = [site(str(number)) for number in range(20)]

    def draws(seed: int) -> list[str]:
        rng = Random(seed)
        return [draw(sites, RULES, rng).site.name for _ in range(50)]

    assert draws(1) == draws(1) != draws(2)


def test_chances_of_all_candidates_add_up() -> None:
    sites = [site(str(number), key=0.1 + number / 10) for number in range(5)]
    chances = {}
    rng = Random(1)
    while len(chances) < 5:
        choice = draw(sites, RULES, rng)
        chances[choice.site.name] = choice.chance
    assert math.isclose(sum(chances.values()), 1.0)


sites_of_two_kinds = st.lists(
    st.builds(
        Site,
        st.sampled_from([f"p{number}" for number in range(8)]),
        st.sampled_from(["one", "two", "three"]),
        st.none() | SHARES,
        st.floats(0.0, NOW),
        st.none() | SHARES,
        st.floats(0.0, NOW),
        st.booleans(),
    ),
    unique_by=lambda one: one.name,
)
names = st.frozensets(st.sampled_from([f"p{number}" for number in range(8)]), max_size=4)


@given(
    sites_of_two_kinds,
    names,
    names,
    names,
    st.builds(Rules, SHARES, SHARES, st.sampled_from(sorted(SCORES)), SHARES, st.floats(1.0, 200.0)),
    st.integers(),
)
def test_either_a_candidate_or_a_reason_for_each(
    sites: list[Site],
    white: frozenset[str],
    black: frozenset[str],
    without: frozenset[str],
    rules: Rules,
    seed: int,
) -> None:
    wanted = app(Support("one", whitelist=white), Support("two", blacklist=black))

    def of_type(kind: str) -> list[Site]:
        return [one for one in sites if one.type == kind]

    outcome = place(wanted, of_type, rules, NOW, Random(seed), dict.fromkeys(without, "tried"))
    fit = {
        one.name
        for one in sites
        if (support := wanted.support(one.type)) is not None
        and not refusals(support, one, rules, NOW)
        and one.name not in without
    }
    if isinstance(outcome, Choice):
        assert outcome.site.name in fit
        assert 0.0 <= outcome.chance <= 1.0
    else:
        assert isinstance(outcome, Rejection)
        assert not fit
        assert outcome.reasons.keys() == {one.name for one in sites if one.type in ("one", "two")}
        assert all(outcome.reasons.values())


def test_violators_are_those_over_the_limits() -> None:
    assert violation(site(load=0.8, key=0.1), RULES, NOW) is None
    over = violation(site(load=0.9), RULES, NOW)
    assert over is not None
    assert over.size == pytest.approx(0.1)
    assert over.reason == "load 0.9 is over 0.8"
    under = violation(site(key=0.04), RULES, NOW)
    assert under is not None
    assert under.size == pytest.approx(0.06)


@pytest.mark.parametrize(
    "one",
    [
        site(load=1.0, load_at=NOW - 31.0),
        site(load=1.0, key_at=NOW - 31.0),
        site(load=1.0, key=None),
        site(key=0.0, load=None),
        site(load=1.0, withdrawn=True),
    ],
)
def test_stale_or_withdrawn_platforms_are_not_judged(one: Site) -> None:
    assert violation(one, RULES, NOW) is None
    assert shortcomings(one, RULES, NOW)


def test_the_worst_violator_comes_first() -> None:
    sites = [site("b", load=0.95), site("fine"), site("a", load=0.95), site("c", key=0.0), site("d", load=1.0)]
    assert [each.site.name for each in violations(sites, RULES, NOW)] == ["d", "a", "b", "c"]
