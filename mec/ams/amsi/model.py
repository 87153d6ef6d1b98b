# SPDX-License-Identifier: Apache-2.0
"""The model of application mobility: registered services and subscriptions (ETSI GS MEC 021 v2.2.1)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol


class AssociateType(IntEnum):
    """What identifies a UE or flow (MEC 012, AssociateId)."""

    UE_IPV4_ADDRESS = 1
    UE_IPV6_ADDRESS = 2
    NATED_IP_ADDRESS = 3
    GTP_TEID = 4


class MobilityStatus(IntEnum):
    """How far the move of a UE's application state has come (MEC 021, 7.4.2)."""

    TRIGGERED = 1
    COMPLETED = 2
    FAILED = 3


MOBILITY = "MobilityProcedureSubscription"
ADJACENT = "AdjacentAppInfoSubscription"
TYPES_IN_QUERIES = {"mobility_proc": MOBILITY, "adj_app_info": ADJACENT}


@dataclass(frozen=True, slots=True)
class Associate:
    """An AssociateId."""

    type: int
    value: str


@dataclass(frozen=True, slots=True)
class Device:
    """A device that an application serves. `level`: its mobility level, 1 to 3 (MEC 021, 7.2.2).

    `transferred` is 1 when the context of the device is at another MEC.
    """

    associate: Associate
    level: int | None = None
    transferred: int | None = None


@dataclass(frozen=True, slots=True)
class MobilityService:
    """A registration (MEC 021, 7.2.2). `expiry` in s from the registration on, 0 for never; `ends` in s since 1970."""

    id: str
    app_instance_id: str | None
    mep_id: str | None
    devices: tuple[Device, ...] = ()
    expiry: int | None = None
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A time since 1970."""

    seconds: int
    nano_seconds: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription with its filter. `self_url` is the URL at which it was created (MEC 021, 7.3)."""

    id: str
    type: str
    callback: str
    self_url: str
    app_instance_id: str | None = None
    associates: tuple[Associate, ...] = ()
    statuses: tuple[int, ...] = (MobilityStatus.TRIGGERED.value,)
    deadline: TimeStamp | None = None

    @property
    def ends(self) -> float | None:
        """When it expires, in s since 1970."""
        return self.deadline.seconds + self.deadline.nano_seconds / 1e9 if self.deadline is not None else None


class Registrations(Protocol):
    """The registered services, the subscriptions, and what is known of other MECs. All methods may raise StoreError,
    and then nothing has changed."""

    def services(self) -> list[MobilityService]:
        """All registered services."""

    def service(self, service_id: str) -> MobilityService | None:
        """The registered service of an id."""

    def put_service(self, service: MobilityService, *, new: bool = True) -> bool:
        """Registers a service, or replaces it unless `new`. False: there is none."""

    def remove_service(self, service_id: str) -> None:
        """Removes a service."""

    def subscriptions(self) -> list[Subscription]:
        """All subscriptions."""

    def subscription(self, subscription_id: str) -> Subscription | None:
        """The subscription of an id."""

    def put_subscription(self, subscription: Subscription, *, new: bool = True, test: bool = False) -> bool:
        """Adds a subscription, or replaces it unless `new`. False: there is none.

        `test`: its callback gets a test notification.
        """

    def remove_subscription(self, subscription_id: str) -> None:
        """Removes a subscription and its undelivered notifications."""

    def adjacent(self, app_instance_id: str | None) -> list[dict[str, Any]]:
        """The instances at other MECs of one application, or of all applications (None)."""
