# SPDX-License-Identifier: Apache-2.0
"""The state of the orchestrator in memory, with the indexes that placement and migration need."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from mec.meo.model import App, Context, Pair, Platform, Site
from mec.meo.occupancy import Occupancy


@dataclass(slots=True)
class _OneType:
    """The platforms of a type, by name, beside what placement knows of each."""

    names: list[str] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)


class MeoState:
    """The applications, platforms and contexts. No method waits or fails: callers check first."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self.platforms: dict[str, Platform] = {}
        self.contexts: dict[str, Context] = {}
        self.occupancy = Occupancy(self.apps)
        self.limited: set[str] = set()
        """Names of the platforms that have a capacity."""
        self.leaving: set[str] = set()
        """Ids of contexts that are about to end or to move: the change of the store is under way."""
        self._types: dict[str, _OneType] = {}
        self._apps_named: dict[str, dict[str, App]] = {}
        self._at_platform: dict[str, dict[str, None]] = {}
        self._of_pair: dict[Pair, set[str]] = {}
        self._of_app: dict[str, int] = {}
        self._order = 0

    def next_order(self) -> int:
        """A number greater than all numbers before."""
        self._order += 1
        return self._order

    def put_app(self, app: App) -> None:
        self.apps[app.key] = app
        self._apps_named.setdefault(app.info.name, {})[app.key] = app
        self._order = max(self._order, app.order)
        self.occupancy.renew()

    def drop_app(self, key: str) -> None:
        app = self.apps.pop(key)
        named = self._apps_named[app.info.name]
        del named[key]
        if not named:
            del self._apps_named[app.info.name]

    def apps_named(self, name: str) -> Iterable[App]:
        """The applications of one name."""
        return self._apps_named.get(name, {}).values()

    def find_apps(self, key: str) -> list[App]:
        """The applications that `key` may mean: the one with this key, else those whose parts without "+" are `key`."""
        if key in self.apps:
            return [self.apps[key]]
        return [app for app in self.apps.values() if "".join(app.info.parts) == key]

    def put_platform(self, platform: Platform) -> None:
        """Adds a platform or replaces its description. Its telemetry stays."""
        known = self.platforms.get(platform.name)
        site = Site(platform.name, platform.type, withdrawn=platform.withdrawn)
        if known is not None:
            site = replace(self.site(platform.name), type=platform.type, withdrawn=platform.withdrawn)
            self._take_site(known)
        self.platforms[platform.name] = platform
        if platform.capacity is not None:
            self.limited.add(platform.name)
        one = self._types.setdefault(platform.type, _OneType())
        index = bisect_left(one.names, platform.name)
        one.names.insert(index, platform.name)
        one.sites.insert(index, site)

    def drop_platform(self, name: str) -> None:
        self._take_site(self.platforms.pop(name))

    def _take_site(self, platform: Platform) -> None:
        self.limited.discard(platform.name)
        one = self._types[platform.type]
        index = bisect_left(one.names, platform.name)
        del one.names[index], one.sites[index]
        if not one.names:
            del self._types[platform.type]

    def sites(self, platform_type: str) -> Sequence[Site]:
        """The platforms of a type, ordered by name."""
        one = self._types.get(platform_type)
        return one.sites if one else ()

    def all_sites(self) -> Iterable[Site]:
        return (site for one in self._types.values() for site in one.sites)

    def site(self, name: str) -> Site:
        one = self._types[self.platforms[name].type]
        return one.sites[bisect_left(one.names, name)]

    def put_site(self, site: Site) -> None:
        """Replaces the telemetry of a known platform."""
        one = self._types[site.type]
        one.sites[bisect_left(one.names, site.name)] = site

    def put_context(self, context: Context) -> None:
        """Adds a context or replaces it, also with one on another platform."""
        if context.id in self.contexts:
            self.drop_context(context.id)
        self.contexts[context.id] = context
        self._order = max(self._order, context.order, *(move.number for move in context.moves))
        self._at_platform.setdefault(context.platform, {})[context.id] = None
        self._of_pair.setdefault(context.pair, set()).add(context.id)
        self.occupancy.enter(context.pair)
        self._of_app[context.app_key] = self._of_app.get(context.app_key, 0) + 1

    def drop_context(self, context_id: str) -> None:
        context = self.contexts.pop(context_id)
        here = self._at_platform[context.platform]
        del here[context_id]
        if not here:
            del self._at_platform[context.platform]
        users = self._of_pair[context.pair]
        users.discard(context_id)
        self.occupancy.leave(context.pair)
        if not users:
            del self._of_pair[context.pair]
        self._of_app[context.app_key] -= 1
        if not self._of_app[context.app_key]:
            del self._of_app[context.app_key]

    def contexts_at(self, platform: str) -> list[Context]:
        """The contexts on a platform, the newest first."""
        found = [self.contexts[context_id] for context_id in self._at_platform.get(platform, ())]
        return sorted(found, key=lambda context: -context.order)

    def count_at(self, platform: str) -> int:
        return len(self._at_platform.get(platform, ()))

    def users_of(self, pair: Pair) -> set[str]:
        """The ids of the contexts that use an application on a platform."""
        return self._of_pair.get(pair, set())

    def stays(self, pair: Pair) -> bool:
        """Whether a context uses the pair and is not about to leave it."""
        return any(context_id not in self.leaving for context_id in self.users_of(pair))

    def count_of_app(self, key: str) -> int:
        return self._of_app.get(key, 0)
