# SPDX-License-Identifier: Apache-2.0
"""What a context asks of its platform beside load and keys: room, the place, and that its UE is near."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mec.meo.model import App, Platform, Site
from mec.meo.occupancy import Occupancy
from mec.meo.whereabouts import Whereabouts, constrains, in_any, whereabouts

_NOWHERE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class _Judgement:
    location: Mapping[str, Any] | None
    there: Whereabouts = Whereabouts.THERE
    reasons: tuple[str, ...] = ()


_ANYWHERE = _Judgement(None)


class Demand:
    """The demand of one context of `app` (None: of a context that needs nothing) with its appLocation `wanted`.

    `margin`: platforms whose latencies differ by less than so many ms are equally near.
    """

    def __init__(
        self,
        app: App | None,
        wanted: Mapping[str, Any] | None,
        platforms: Mapping[str, Platform],
        occupancy: Occupancy,
        margin: float,
    ) -> None:
        self._app = app
        self._wanted = wanted or _NOWHERE
        self._zone = self._wanted.get("zone")
        self._places = app.info.extra.get("appLocation", ()) if app is not None else ()
        self._most = app.info.extra.get("appCharcs", {}).get("latency") if app is not None else None
        self._platforms = platforms
        self._occupancy = occupancy
        self._margin = margin
        self._constrains = constrains(self._wanted)
        self._judged: dict[int, _Judgement] = {}
        """By the identity of a location, which its judgement holds."""

    @property
    def costly(self) -> bool:
        """Whether judging a platform takes a while, since locations are compared."""
        return self._constrains or bool(self._places)

    def judge(self, name: str) -> None:
        """Looks where a platform is, which need not be done again then."""
        self._place(self._platforms[name])

    def accepts(self, name: str) -> bool:
        """Whether a platform has what is asked for."""
        platform = self._platforms[name]
        return (
            self._occupancy.fits(platform, self._app)
            and not self._too_far(platform)
            and not self._place(platform).reasons
        )

    def refusals(self, name: str) -> list[str]:
        """Why a platform does not have what is asked for; empty when it has."""
        platform = self._platforms[name]
        shortages = self._occupancy.shortages(platform, self._app)
        return [*shortages, *self._place(platform).reasons, *self._too_far(platform)]

    def nearest(self, sites: Sequence[Site]) -> Sequence[Site]:
        """Those of the sites that are nearest: known to be in the wanted place if any is, then by the latency."""
        if not self._wanted or len(sites) < 2:
            return sites
        ranks = [self._rank(self._platforms[site.name]) for site in sites]
        there, best = min(ranks)
        return [
            site
            for site, rank in zip(sites, ranks, strict=True)
            if rank[0] == there and (rank[1] == best or rank[1] < best + self._margin)
        ]

    def _rank(self, platform: Platform) -> tuple[Whereabouts, float]:
        there = self._place(platform).there if self._constrains else Whereabouts.THERE
        return there, self._distance(platform) if self._zone is not None else 0.0

    def _distance(self, platform: Platform) -> float:
        """The latency to the UE in ms. In its own zone it is 0 if nobody has told another; infinite: nobody knows."""
        latency = platform.latency.get(str(self._zone))
        if latency is not None:
            return latency
        same = platform.location is not None and platform.location.get("zone") == self._zone
        return 0.0 if same else math.inf

    def _too_far(self, platform: Platform) -> list[str]:
        """An application's latency is a target for those platforms of which it is known (MEC 016, 6.2.2)."""
        latency = platform.latency.get(self._zone) if self._zone is not None else None
        if not self._most or latency is None or latency <= self._most:
            return []
        return [f"latency {latency:.4g} ms to zone {self._zone} is over the {self._most} ms of the application"]

    def _place(self, platform: Platform) -> _Judgement:
        if not self.costly:
            return _ANYWHERE
        location = platform.location
        found = self._judged.get(id(location))
        if found is None:
            found = self._judged[id(location)] = self._compared(location)
        return found

    def _compared(self, location: Mapping[str, Any] | None) -> _Judgement:
        reasons = []
        there = whereabouts(self._wanted, location) if self._constrains else Whereabouts.THERE
        if there is Whereabouts.ELSEWHERE:
            reasons.append("not at the appLocation that is asked for")
        if self._places and in_any(self._places, location) is Whereabouts.ELSEWHERE:
            reasons.append("not at an appLocation of the application")
        return _Judgement(location, there, tuple(reasons))
