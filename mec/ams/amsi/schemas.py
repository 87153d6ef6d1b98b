# SPDX-License-Identifier: Apache-2.0
"""Reads requests of the mobility API into its model, and turns the model into JSON (MEC 021 v2.2.1, clause 7)."""

import ipaddress
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mec.ams.amsi import values
from mec.ams.amsi.model import (
    MOBILITY,
    Associate,
    AssociateType,
    Device,
    MobilityService,
    MobilityStatus,
    Subscription,
    TimeStamp,
)
from mec.common.problem_details import DIALECT, bad_field, check
from submgr.platform.http.json_fields import Fields, Mistakes, whole


def service_of(body: Mapping[str, Any], service_id: str, now: float) -> MobilityService:
    """The service that a RegistrationInfo describes; `now` in s since 1970. Raises ApiError 400 for all mistakes."""
    fields = Fields(body, "", Mistakes(DIALECT))
    if fields.take("appMobilityServiceId", values.text, service_id) != service_id:
        fields.wrong("appMobilityServiceId", "is another one than in the path")
    app = mep = ""
    if (consumer := fields.child("serviceConsumerId", required=True)) is not None:
        app = consumer.take("appInstanceId", values.text, "")
        mep = consumer.take("mepId", values.text, "")
        if not app and not mep:
            fields.wrong("serviceConsumerId", "must have an appInstanceId or a mepId")
    devices = tuple(_device(device) for _, device in fields.children("deviceInformation", values.objects))
    expiry = fields.take("expiryTime", whole(0, 2**32 - 1), None)
    check(fields.mistakes)
    return MobilityService(service_id, app or None, mep or None, devices, expiry, now + expiry if expiry else None)


def _device(fields: Fields) -> Device:
    return Device(
        associate=fields.need("associateId", values.associate, Associate(1, "")),
        level=fields.take("appMobilityServiceLevel", whole(1, 3), None),
        transferred=fields.take("contextTransferState", whole(0, 1), None),
    )


def service_view(service: MobilityService) -> dict[str, Any]:
    """The RegistrationInfo of a service."""
    consumer = {"appInstanceId": service.app_instance_id, "mepId": service.mep_id}
    view: dict[str, Any] = {"appMobilityServiceId": service.id, "serviceConsumerId": _present(consumer)}
    if service.devices:
        view["deviceInformation"] = [
            _present(
                {
                    "associateId": associate_view(device.associate),
                    "appMobilityServiceLevel": device.level,
                    "contextTransferState": device.transferred,
                }
            )
            for device in service.devices
        ]
    if service.expiry is not None:
        view["expiryTime"] = service.expiry
    return view


def subscription_of(
    body: Mapping[str, Any], subscription_id: str, self_url: str, now: float, refusal: Callable[[str], str | None]
) -> Subscription:
    """The subscription that a MobilityProcedureSubscription or AdjacentAppInfoSubscription describes.

    `now` in s since 1970. `refusal` says why a URL must not be called, or None. Raises ApiError 400 for all mistakes.
    """
    fields = Fields(body, "", Mistakes(DIALECT))
    kind = fields.need("subscriptionType", values.subscription_type, MOBILITY)
    callback = fields.need("callbackReference", values.callback, "")
    if callback and (why := refusal(callback)) is not None:
        fields.wrong("callbackReference", f"must not be called: {why}")
    criteria = fields.child("filterCriteria", required=True) or Fields({}, "", fields.mistakes)
    app = criteria.take("appInstanceId", values.text, "")
    deadline = fields.take("expiryDeadline", values.time_stamp, None)
    if deadline is not None and deadline.seconds + deadline.nano_seconds / 1e9 <= now:
        fields.wrong("expiryDeadline", "is over already")
    associates: tuple[Associate, ...] = ()
    statuses: tuple[int, ...] = ()
    if kind == MOBILITY:
        associates = criteria.take("associateId", values.associates, ())
        statuses = criteria.take("mobilityStatus", values.statuses, ())
    check(fields.mistakes)
    if kind == MOBILITY and not statuses:
        statuses = (MobilityStatus.TRIGGERED.value,)
    return Subscription(subscription_id, kind, callback, self_url, app or None, associates, statuses, deadline)


def wants_test(body: Mapping[str, Any]) -> bool:
    """Whether the subscriber asks for a test notification. Raises ApiError 400 when that is neither true nor false."""
    wanted = body.get("requestTestNotification", False)
    if not isinstance(wanted, bool):
        raise bad_field("requestTestNotification", "must be true or false")
    return wanted


def subscription_view(subscription: Subscription) -> dict[str, Any]:
    """A subscription as it was asked for, with its link."""
    criteria: dict[str, Any] = _present({"appInstanceId": subscription.app_instance_id})
    if subscription.type == MOBILITY:
        if subscription.associates:
            criteria["associateId"] = [associate_view(each) for each in subscription.associates]
        criteria["mobilityStatus"] = list(subscription.statuses)
    view: dict[str, Any] = {
        "_links": {"self": {"href": subscription.self_url}},
        "subscriptionType": subscription.type,
        "callbackReference": subscription.callback,
        "filterCriteria": criteria,
    }
    if subscription.deadline is not None:
        view["expiryDeadline"] = _time_view(subscription.deadline)
    return view


def mobility_notification(
    subscription: Subscription, status: MobilityStatus, associates: Iterable[Associate], app_id: str | None
) -> dict[str, Any]:
    """A MobilityProcedureNotification: the application of some UEs moves to another MEC (7.4.2)."""
    notification: dict[str, Any] = {
        "notificationType": "MobilityProcedureNotification",
        "timeStamp": _time_view(now_stamp()),
        "mobilityStatus": status.value,
        "associateId": [associate_view(each) for each in associates],
        "_links": {"subscription": {"href": subscription.self_url}},
    }
    if app_id is not None:
        notification["targetAppInfo"] = {"appInstanceId": app_id}
    return notification


def adjacency_notification(subscription: Subscription, app_id: str, interface: Mapping[str, Any]) -> dict[str, Any]:
    """An AdjacentAppInfoNotification: an application is at another MEC (7.4.3)."""
    return {
        "notificationType": "AdjacentAppInfoNotification",
        "timeStamp": _time_view(now_stamp()),
        "adjacentAppInfo": [{"appInstanceId": app_id, "commInterface": interface}],
        "_links": {"subscription": {"href": subscription.self_url}},
    }


def expiry_notification(subscription: Subscription) -> dict[str, Any]:
    """An ExpiryNotification: the subscription ends (7.4.4)."""
    assert subscription.deadline is not None
    return {
        "notificationType": "ExpiryNotification",
        "timeStamp": _time_view(now_stamp()),
        "_links": {"self": {"href": subscription.self_url}, "subscription": {"href": subscription.self_url}},
        "expiryDeadline": _time_view(subscription.deadline),
    }


def trial_notification(subscription: Subscription) -> dict[str, Any]:
    """A TestNotification: the subscriber can be reached (7.4.5)."""
    return {"notificationType": "TestNotification", "_links": {"subscription": {"href": subscription.self_url}}}


def adjacent_view(app_id: str, mec_id: int, interface: Mapping[str, Any]) -> dict[str, Any]:
    """The AdjacentAppInstanceInfo of an application at another MEC (7.2.3)."""
    return {
        "appInstanceId": app_id,
        "appDId": app_id,
        "appInstanceCommLink": [interface],
        "mecHostInformation": {"hostName": f"MEC {mec_id}", "hostId": {"mecId": mec_id}},
    }


def interface_of(url: str) -> dict[str, Any]:
    """The CommunicationInterface to which a URL leads."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"ipAddresses": [{"host": parts.hostname or "", "port": port}]}


def associate_view(associate: Associate) -> dict[str, Any]:
    """An AssociateId."""
    return {"type": associate.type, "value": associate.value}


def associates_of(addresses: Iterable[str]) -> list[Associate]:
    """The AssociateIds of IP addresses."""
    kinds = {4: AssociateType.UE_IPV4_ADDRESS, 6: AssociateType.UE_IPV6_ADDRESS}
    return [Associate(kinds[ipaddress.ip_address(address).version].value, address) for address in addresses]


def now_stamp() -> TimeStamp:
    """The TimeStamp of now."""
    seconds, nano_seconds = divmod(time.time_ns(), 1_000_000_000)
    return TimeStamp(seconds, nano_seconds)


def _time_view(stamp: TimeStamp) -> dict[str, int]:
    return {"seconds": stamp.seconds, "nanoSeconds": stamp.nano_seconds}


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
