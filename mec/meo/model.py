# SPDX-License-Identifier: Apache-2.0
"""The model of the orchestrator: applications, platforms, application contexts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mec.meo.resources import Capacity, Resources, needed

MAX_MOVES_KEPT = 16
"""Of a context's history."""


@dataclass(frozen=True, slots=True)
class AppInfo:
    """The description of an application. `extra`: further members, which are only shown (MEC 016, 6.2.2)."""

    app_d_id: str
    name: str
    provider: str
    soft_version: str
    d_version: str
    description: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The parts joined by "+"."""
        return "+".join(self.parts)

    @property
    def parts(self) -> tuple[str, ...]:
        """The values that tell applications apart, in the order of the key."""
        return (self.app_d_id, self.name, self.provider, self.soft_version, self.d_version)


@dataclass(frozen=True, slots=True)
class Support:
    """How an application uses one type of platform: which platforms it may use, and how it is deployed there.

    An empty whitelist names all platforms of the type.
    """

    type: str
    blacklist: frozenset[str] = frozenset()
    whitelist: frozenset[str] = frozenset()
    deploy_info: Any = field(default_factory=dict)

    def allows(self, platform: str) -> bool:
        """Whether the lists permit a platform."""
        return platform not in self.blacklist and (not self.whitelist or platform in self.whitelist)


@dataclass(frozen=True, slots=True)
class App:
    """An application. `order` grows with each registration. A `withdrawn` application gets no new contexts."""

    info: AppInfo
    supports: tuple[Support, ...]
    vendor_id: str | None = None
    order: int = 0
    withdrawn: bool = False
    resources: Resources = field(default_factory=Resources)

    @property
    def key(self) -> str:
        return self.info.key

    @property
    def needs(self) -> Resources:
        """What it takes of a platform's capacity."""
        return needed(self.resources, self.info.extra.get("appCharcs", {}))

    def support(self, platform_type: str) -> Support | None:
        """How the application uses platforms of a type; None when it does not."""
        return next((support for support in self.supports if support.type == platform_type), None)


@dataclass(frozen=True, slots=True)
class QkdSource:
    """Where the orchestrator asks for the key availability of a platform (ETSI GS QKD 014).

    `kme`: the key management entity as host[:port] or URL. `slaves`: the peers whose keys count. The files are PEM, for
    mutual TLS.
    """

    kme: str
    slaves: tuple[str, ...]
    certificate: str | None = None
    private_key: str | None = field(default=None, repr=False)
    ca: str | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """A place where applications run. Only its driver sees `credentials`.

    A `withdrawn` platform gets no new contexts, and is forgotten as soon as nothing is left on it. `capacity` None: it
    never runs out of room. `latency`: the round trip in ms to UEs, by the zone where they are.
    """

    name: str
    type: str
    endpoint_apps: str
    endpoint_mgmt: str = field(default="", repr=False)
    credentials: Any = field(default=None, repr=False)
    qkd: QkdSource | None = None
    location: Mapping[str, Any] | None = None
    withdrawn: bool = False
    capacity: Capacity | None = None
    latency: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """A platform as placement sees it: load and key availability (0..1, None: never told), and when each was told.

    Times are monotonic, in s.
    """

    name: str
    type: str
    load: float | None = None
    load_at: float = 0.0
    key: float | None = None
    key_at: float = 0.0
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A migration of a context: when (s since 1970), from where to where, and why. `number` grows with time.

    `told`: whether the device application was told ("pending", "delivered", "failed", or "no callback").
    """

    number: int
    at: float
    origin: str
    target: str
    reason: str
    told: str = "no callback"


@dataclass(frozen=True, slots=True)
class Wish:
    """The AppContext that a device application asks for (MEC 016, 6.2.3).

    `app_info`: what the device said of the application; answers repeat it. `location`: a LocationConstraints.
    """

    app_info: Mapping[str, Any]
    device: str = ""
    callback: str | None = None
    location: Mapping[str, Any] | None = None
    location_updates: bool | None = None
    auto_instantiation: bool | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """An application context: the use of an application by a device, on one platform.

    `order` grows with each admission: the newest context has the highest. `created_at` and `moved_at` are s since 1970;
    `moves` are the latest ones, the oldest first.
    """

    id: str
    app_key: str
    platform: str
    wish: Wish
    order: int
    created_at: float
    moved_at: float | None = None
    moves: tuple[Move, ...] = ()

    @property
    def pair(self) -> "Pair":
        return Pair(self.app_key, self.platform)


@dataclass(frozen=True, slots=True)
class Pair:
    """An application on a platform. It is deployed once, however many contexts use it."""

    app_key: str
    platform: str


class DeploymentState(StrEnum):
    """Of a deployment that the platform has accepted."""

    DEPLOYING = "deploying"
    READY = "ready"
    FAILED = "failed"
