# SPDX-License-Identifier: Apache-2.0
"""What follows from an event of the application state of a UE: who is told what, and whose context has moved. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mec.ams.amsi import schemas
from mec.ams.amsi.model import MOBILITY, Associate, MobilityService, MobilityStatus, Subscription
from mec.ams.model import ANY_APP, Use


@dataclass(frozen=True, slots=True)
class Moved:
    """An event of the application state of a UE. `app_id` None: of all its applications but `others`."""

    status: MobilityStatus
    imsi: str
    app_id: str | None
    others: frozenset[str] = frozenset()


def moves_of(uses: Sequence[Use]) -> Iterator[Moved]:
    """The events of new uses of a UE at another MEC."""
    apps = frozenset(use.app_id for use in uses if use.app_id != ANY_APP)
    for use in uses:
        app = None if use.app_id == ANY_APP else use.app_id
        yield Moved(MobilityStatus.TRIGGERED, use.imsi, app, apps if app is None else frozenset())


def notification_of(moved: Moved, subscription: Subscription, associates: Sequence[Associate]) -> dict[str, Any] | None:
    """What a subscription is told of an event; None: nothing. `associates`: the addresses of the UE."""
    if subscription.type != MOBILITY or moved.status.value not in subscription.statuses:
        return None
    if not _concerns(subscription.app_instance_id, moved):
        return None
    whom = associates
    if subscription.associates:
        whom = [each for each in associates if each in subscription.associates]
        if not whom:
            return None
    app = moved.app_id or subscription.app_instance_id
    return schemas.mobility_notification(subscription, moved.status, whom, app)


def transferred(moved: Moved, service: MobilityService, associates: Sequence[Associate]) -> MobilityService | None:
    """The service after an event has changed whether the contexts of its devices are at the other MEC: not before the
    move is completed. None: it has changed nothing."""
    if not _concerns(service.app_instance_id, moved):
        return None
    there = int(moved.status is MobilityStatus.COMPLETED)
    devices = tuple(
        replace(device, transferred=there) if device.associate in associates else device for device in service.devices
    )
    return replace(service, devices=devices) if devices != service.devices else None


def _concerns(wanted: str | None, moved: Moved) -> bool:
    """Whether an event is about the application `wanted`, or about any if that is None."""
    if moved.app_id is not None:
        return wanted in (None, moved.app_id)
    return wanted not in moved.others if wanted is not None else not moved.others
