# SPDX-License-Identifier: Apache-2.0
"""Draws the platform of a context by the scores of the candidates, and finds the platforms that must be relieved.

Pure functions of what is known at `now` (monotonic, s). The generator of random numbers is passed in.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from mec.meo.demand import Demand
from mec.meo.model import App, Site, Support
from submgr.platform.config.schema import setting
from submgr.platform.config.values import number, one_of
from submgr.platform.turns import in_turns

ScoreFunction = Callable[[float, float, float], float]
"""Of load, key availability, and alpha."""

SCORES: Mapping[str, ScoreFunction] = {
    "product": lambda load, key, alpha: (1.0 - load) * key,
    "load": lambda load, key, alpha: 1.0 - load,
    "key": lambda load, key, alpha: key,
    "weighted": lambda load, key, alpha: alpha * (1.0 - load) + (1.0 - alpha) * key,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits and the score of placement. `score`: a name in SCORES. `alpha`: the weight of the load in "weighted".

    `telemetry_ttl`: the age in s at which telemetry is stale. `latency_margin`: in ms, see `demand.Demand`.
    """

    max_load: float = setting("maxLoad", number(0.0, 1.0), 0.8, "load above which a platform takes no context")
    min_key: float = setting("minKey", number(0.0, 1.0), 0.1, "key rate below which a platform takes no context")
    score: str = setting("score", one_of(*SCORES), "product", "how platforms are compared")
    alpha: float = setting("alpha", number(0.0, 1.0), 0.5, "weight of the load where the comparison has one")
    telemetry_ttl: float = setting(
        "telemetryTtl", number(0.05, 86_400.0, "s"), 30.0, "age of telemetry that is too old to go by"
    )
    latency_margin: float = setting(
        "latencyMargin", number(0.0, 10_000.0, "ms"), 1.0, "platforms whose latencies differ by less are equally near"
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """The platform that was drawn, with its score and its chance."""

    site: Site
    score: float
    chance: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """There is no candidate. `reasons`: why not, by platform, for each that is known."""

    reasons: Mapping[str, str] = field(default_factory=dict)


SitesOfType = Callable[[str], Sequence[Site]]
"""The platforms of a type, always in the same order: with the same generator, the same draw."""


def place(
    app: App,
    sites: SitesOfType,
    rules: Rules,
    now: float,
    rng: Random,
    without: Mapping[str, str] | None = None,
    all_sites: Callable[[], Iterable[Site]] | None = None,
    demand: Demand | None = None,
) -> Choice | Rejection:
    """Draws a platform for a context of `app`. `without`: excluded platforms, with the reason of each.

    `all_sites`: the platforms of which a rejection says why they are none; those of the app's types if it is not given.
    `demand`: what the context asks for beside load and keys. Of the candidates only the nearest are drawn from.
    """
    excluded = without or {}
    found: Sequence[Site] = []
    for support in app.supports:
        found = [*found, *candidates(support, sites(support.type), rules, now, excluded)]
    if demand is not None:
        found = demand.nearest([site for site in found if demand.accepts(site.name)])
    if found:
        return draw(found, rules, rng)
    judged = all_sites() if all_sites else [site for support in app.supports for site in sites(support.type)]
    reasons = {
        site.name: excluded.get(site.name) or "; ".join(why_not(app, site, rules, now, demand))
        for site in in_turns(list(judged))
    }
    return Rejection(reasons)


def candidates(
    support: Support, sites: Iterable[Site], rules: Rules, now: float, without: Collection[str] = ()
) -> list[Site]:
    """Those of `sites`, all of the support's type, that may take a new context."""
    max_load, min_key = rules.max_load, rules.min_key
    earliest = now - rules.telemetry_ttl
    fit = [
        site
        for site in sites
        if (load := site.load) is not None
        and load <= max_load
        and (key := site.key) is not None
        and key >= min_key
        and site.load_at >= earliest
        and site.key_at >= earliest
        and not site.withdrawn
    ]
    if support.whitelist:
        fit = [site for site in fit if site.name in support.whitelist]
    if support.blacklist or without:
        fit = [site for site in fit if site.name not in support.blacklist and site.name not in without]
    return fit


def score(site: Site, rules: Rules) -> float:
    """The score of a platform of which both load and key availability are known."""
    assert site.load is not None and site.key is not None
    return SCORES[rules.score](site.load, site.key, rules.alpha)


def draw(found: Sequence[Site], rules: Rules, rng: Random) -> Choice:
    """Draws one of the candidates in proportion to their scores. When all scores are zero, all have the same chance."""
    function, alpha = SCORES[rules.score], rules.alpha
    weights = [function(site.load, site.key, alpha) for site in found]  # type: ignore[arg-type]
    total = sum(weights)
    if total <= 0.0:
        index = rng.randrange(len(found))
        return Choice(found[index], weights[index], 1.0 / len(found))
    (index,) = rng.choices(range(len(found)), cum_weights=list(accumulate(weights)))
    return Choice(found[index], weights[index], weights[index] / total)


def why_not(app: App, site: Site, rules: Rules, now: float, demand: Demand | None = None) -> list[str]:
    """Why a platform is no candidate for an application; empty when it is one."""
    support = app.support(site.type)
    if support is None:
        return [f"the application does not support platforms of type {site.type}"]
    return refusals(support, site, rules, now) + (demand.refusals(site.name) if demand is not None else [])


def refusals(support: Support, site: Site, rules: Rules, now: float) -> list[str]:
    """Why a platform of the support's type is no candidate; empty when it is one."""
    reasons = []
    if support.whitelist and site.name not in support.whitelist:
        reasons.append("not on the whitelist of the application")
    if site.name in support.blacklist:
        reasons.append("on the blacklist of the application")
    return reasons + shortcomings(site, rules, now)


def shortcomings(site: Site, rules: Rules, now: float) -> list[str]:
    """Why a platform is no candidate for any application; empty when it may be one."""
    reasons = []
    if site.withdrawn:
        reasons.append("the platform is withdrawn")
    reasons += _reading("load", site.load, site.load_at, rules, now)
    reasons += _reading("key availability", site.key, site.key_at, rules, now)
    if site.load is not None and site.load > rules.max_load:
        reasons.append(f"load {site.load:.4g} is over {rules.max_load:.4g}")
    if site.key is not None and site.key < rules.min_key:
        reasons.append(f"key availability {site.key:.4g} is under {rules.min_key:.4g}")
    return reasons


def _reading(what: str, value: float | None, at: float, rules: Rules, now: float) -> list[str]:
    if value is None:
        return [f"stale telemetry: {what} was never told"]
    if now - at > rules.telemetry_ttl:
        return [f"stale telemetry: {what} was told {now - at:.0f} s ago"]
    return []


@dataclass(frozen=True, slots=True)
class Violation:
    """A platform over the limits: by how much, and in words."""

    site: Site
    size: float
    reason: str


def violation(site: Site, rules: Rules, now: float) -> Violation | None:
    """The violation of a platform, or None. A platform that is withdrawn or whose telemetry is stale is not judged."""
    if site.withdrawn or site.load is None or site.key is None:
        return None
    if min(site.load_at, site.key_at) < now - rules.telemetry_ttl:
        return None
    over, under = site.load - rules.max_load, rules.min_key - site.key
    if over <= 0.0 and under <= 0.0:
        return None
    return Violation(site, max(over, under), "; ".join(shortcomings(site, rules, now)))


def violations(sites: Iterable[Site], rules: Rules, now: float) -> list[Violation]:
    """The platforms that must be relieved, the worst first; of equal ones the first by name."""
    found = [each for site in sites if (each := violation(site, rules, now)) is not None]
    return sorted(found, key=lambda each: (-each.size, each.site.name))
