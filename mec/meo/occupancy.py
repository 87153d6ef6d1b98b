# SPDX-License-Identifier: Apache-2.0
"""What contexts take of the platforms they are on, or are about to be on."""

from collections.abc import Mapping

from mec.meo.model import App, Pair, Platform
from mec.meo.resources import Resources, Used, fits, one_more, shortages, total

_NOTHING = Used()
_NO_APPS: Mapping[str, int] = {}


class Occupancy:
    """Counts contexts by platform and application. `apps`: the known applications, by key.

    A context that is being admitted or moved counts on its target from the draw on, so that racing requests do not take
    the same room.
    """

    def __init__(self, apps: Mapping[str, App]) -> None:
        self._apps = apps
        self._here: dict[str, dict[str, int]] = {}
        self._used: dict[str, Used] = {}
        """By platform, as long as nothing there changes."""

    def enter(self, pair: Pair) -> None:
        """One more context uses the pair."""
        here = self._here.setdefault(pair.platform, {})
        here[pair.app_key] = here.get(pair.app_key, 0) + 1
        self._used.pop(pair.platform, None)

    def leave(self, pair: Pair) -> None:
        """One context less uses the pair."""
        here = self._here[pair.platform]
        here[pair.app_key] -= 1
        if not here[pair.app_key]:
            del here[pair.app_key]
        if not here:
            del self._here[pair.platform]
        self._used.pop(pair.platform, None)

    def renew(self) -> None:
        """An application takes something else from now on."""
        self._used.clear()

    def used(self, platform: str) -> Used:
        """What is taken of a platform."""
        if platform not in self._here:
            return _NOTHING
        if platform not in self._used:
            here = self._here[platform]
            self._used[platform] = total({key: (self._needs(key), contexts) for key, contexts in here.items()})
        return self._used[platform]

    def fits(self, platform: Platform, app: App | None) -> bool:
        """Whether there is room for one more context of `app` (None: of one that takes nothing)."""
        return platform.capacity is None or fits(
            platform.capacity, self.used(platform.name), self._one_more(platform.name, app)
        )

    def shortages(self, platform: Platform, app: App | None) -> list[str]:
        """Why there is no room for one more context of `app`, as `fits`; empty when there is."""
        if platform.capacity is None:
            return []
        return shortages(platform.capacity, self.used(platform.name), self._one_more(platform.name, app))

    def _one_more(self, platform: str, app: App | None) -> Used:
        if app is None:
            return Used(1)
        return one_more(app.needs, deployed=app.key in self._here.get(platform, _NO_APPS))

    def _needs(self, key: str) -> Resources:
        app = self._apps.get(key)
        return app.needs if app is not None else Resources()
