# SPDX-License-Identifier: Apache-2.0
"""Reads requests of operators into the model, and tells all mistakes of a request at once."""

import re
from collections.abc import Callable
from typing import Any

from mec.common.problem_details import check, json_object
from mec.meo import values
from mec.meo.lcmp.location import read_location
from mec.meo.model import App, AppInfo, DeploymentState, Platform, QkdSource, Support
from mec.meo.qkd import kme_url
from mec.meo.resources import Capacity, Resources
from submgr.platform.http.json_fields import Convert, Dialect, Fields, Mistakes, whole

_DIALECT = Dialect()
_PLATFORM_NAME = re.compile(r"[^/\x00-\x1f\x7f-\x9f]+\Z")
_KME = re.compile(r"(https?://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?\Z")


def parse_app(driver_check: Callable[[str, Any], str | None]) -> App:
    """The body of the current request as an application.

    `driver_check` tells what is wrong with a deployInfo for a type of platform. Raises ApiError 400, and 409 for an
    application that is well-formed and contradicts the drivers or itself.
    """
    reader, conflicts = _body(), Mistakes(_DIALECT)
    info = reader.child("appInfo", required=True)
    supports: list[Support] = []
    for _, one in reader.children("platforms", required=True):
        support = _support(one)
        if any(support.type == other.type for other in supports):
            conflicts.add(f"{one.path}type", f"{support.type} is given twice")
        elif (message := driver_check(support.type, support.deploy_info)) is not None:
            conflicts.add(f"{one.path}deployInfo", message)
        supports.append(support)
    extension = reader.child("vendorSpecificExt")
    vendor_id = extension.need("vendorId", values.name, None) if extension is not None else None
    app_info = _registered_info(info) if info is not None else None
    resources = _resources(reader.child("resources"))
    check(reader.mistakes)
    check(conflicts, 409)
    assert app_info is not None
    return App(app_info, tuple(supports), vendor_id, resources=resources)


def parse_platform(
    driver_check: Callable[[Platform], tuple[str, str] | None], refusal: Callable[[str], str | None]
) -> Platform:
    """The body of the current request as a platform.

    `driver_check` tells what is wrong with the platform for its driver: a field and a message. `refusal` says why a URL
    must not be called, or None. Raises ApiError 400, and 409 for a platform that the driver cannot do anything with.
    """
    reader, conflicts = _body(), Mistakes(_DIALECT)
    name = reader.need("name", values.platform_name, None)
    if name is not None and (not _PLATFORM_NAME.match(name) or name in (".", "..")):
        reader.wrong("name", "must not contain a slash, and be neither . nor ..")
    platform = Platform(
        name=name or "",
        type=reader.need("type", values.platform_name, ""),
        endpoint_apps=reader.need("endpointApps", values.link, ""),
        endpoint_mgmt=reader.take("endpointMgmt", values.link_or_empty, ""),
        credentials=reader.present("credentials"),
        qkd=_qkd(reader.child("qkd")),
        location=_location(reader),
        capacity=_capacity(reader),
        latency=_latency(reader.child("latency")),
    )
    _check_urls(platform, reader, refusal)
    check(reader.mistakes)
    if (mistake := driver_check(platform)) is not None:
        conflicts.add(*mistake)
    check(conflicts, 409)
    return platform


def _check_urls(platform: Platform, reader: Fields, refusal: Callable[[str], str | None]) -> None:
    """Notes each address of a platform that must not be called. One that is no URL is for the driver to judge."""
    called = {"endpointMgmt": platform.endpoint_mgmt}
    if platform.qkd is not None:
        called["qkd.kme"] = kme_url(platform.qkd)
    for field, url in called.items():
        if url.startswith(("http://", "https://")) and (why := refusal(url)) is not None:
            reader.wrong(field, f"must not be called: {why}")


def parse_value() -> float:
    """`{"value": 0..1}` of the current request. Raises ApiError 400."""
    reader = _body()
    value = reader.need("value", values.share, 0.0)
    check(reader.mistakes)
    return value


def parse_capacity() -> Capacity:
    """The capacity in the body of the current request. Raises ApiError 400."""
    reader = _body()
    capacity = _capacity_of(reader)
    check(reader.mistakes)
    return capacity


def parse_latency() -> tuple[str, float]:
    """`{"zone": ..., "value": ms}` of the current request. Raises ApiError 400."""
    reader = _body()
    zone, value = reader.need("zone", values.zone, ""), reader.need("value", values.latency, 0.0)
    check(reader.mistakes)
    return zone, value


def parse_status() -> tuple[DeploymentState, str]:
    """`{"status": "deploying" | "ready" | "failed", "message"}` of the current request. Raises ApiError 400."""
    reader = _body()
    state = reader.need("status", values.deployment_state, DeploymentState.DEPLOYING)
    message = reader.take("message", values.message, "")
    check(reader.mistakes)
    return state, message


def _body() -> Fields:
    return Fields(json_object(), "", Mistakes(_DIALECT))


def _registered_info(info: Fields) -> AppInfo:
    """AppInfo of an application list (MEC 016, 6.2.2)."""
    extra: dict[str, Any] = {}
    if (characteristics := info.child("appCharcs")) is not None:
        extra["appCharcs"] = _characteristics(characteristics)
    if locations := [read_location(location) for _, location in info.children("appLocation")]:
        extra["appLocation"] = locations
        if len(locations) > values.MAX_LOCATIONS:
            info.wrong("appLocation", f"must not have more than {values.MAX_LOCATIONS} locations")
    return AppInfo(
        app_d_id=info.need("appDId", values.descriptor, ""),
        name=info.need("appName", values.name, ""),
        provider=info.need("appProvider", values.name, ""),
        soft_version=info.take("appSoftVersion", values.name, ""),
        d_version=info.need("appDVersion", values.descriptor, ""),
        description=info.take("appDescription", values.description, ""),
        extra=extra,
    )


def _characteristics(fields: Fields) -> dict[str, int]:
    names = ("memory", "storage", "latency", "bandwidth")
    found = {name: fields.take(name, whole(0, 2**32 - 1), None) for name in names}
    found["serviceCont"] = fields.take("serviceCont", whole(0, 1), None)
    return {name: value for name, value in found.items() if value is not None}


def _resources(given: Fields | None) -> Resources:
    return Resources(**_amounts(given)) if given is not None else Resources()


def _location(reader: Fields) -> dict[str, Any] | None:
    """The location of a platform, whose zone may stand beside it."""
    location, zone = read_location(reader.child("location")), reader.take("zone", values.zone, None)
    return {"zone": zone, **(location or {})} if zone is not None else location


def _capacity(reader: Fields) -> Capacity | None:
    """An object, or a bare number of contexts."""
    if isinstance(reader.present("capacity"), int):
        return Capacity(reader.need("capacity", values.amount, None))
    given = reader.child("capacity")
    return _capacity_of(given) if given is not None else None


def _capacity_of(given: Fields) -> Capacity:
    return Capacity(given.take("contexts", values.amount, None), **_amounts(given))


def _amounts(given: Fields) -> dict[str, Any]:
    whole_ones = {name: given.take(name, values.amount, None) for name in ("memory", "storage", "bandwidth")}
    return {"cpu": given.take("cpu", values.cores, None), **whole_ones}


def _latency(given: Fields | None) -> dict[str, float]:
    if given is None:
        return {}
    if len(given.values) > values.MAX_ZONES:
        given.mistakes.add("latency", f"must not have more than {values.MAX_ZONES} zones")
        return {}
    return {zone: given.need(zone, values.latency, 0.0) for zone in given.values}


def _support(one: Fields) -> Support:
    kind = one.need("type", values.platform_name, "")
    deploy_info = one.present("deployInfo")
    if deploy_info is None:
        deploy_info = {}
    return Support(
        kind,
        _names(one, "blacklist", values.platform_name),
        _names(one, "whitelist", values.platform_name),
        deploy_info,
    )


def _qkd(source: Fields | None) -> QkdSource | None:
    if source is None:
        return None
    kme = source.need("kme", values.qkd_name, None)
    if kme is not None and not _KME.match(kme):
        source.wrong("kme", 'must be a host and port like "kme.example:8443", or a URL')
    slaves = _names(source, "slaveSaeIds", values.qkd_name)
    if not slaves:
        source.wrong("slaveSaeIds", "must name at least one peer")
    certificate, key = source.take("cert", values.file_name, None), source.take("key", values.file_name, None)
    if key is not None and certificate is None:
        source.wrong("cert", "is required with a key")
    return QkdSource(kme or "", tuple(sorted(slaves)), certificate, key, source.take("ca", values.file_name, None))


def _names(fields: Fields, key: str, name: Convert[str]) -> frozenset[str]:
    """The names in an optional list, where each may stand more than once."""
    given = fields.items(key)
    for index, value in enumerate(given):
        Fields({"": value}, f"{fields.path}{key}[{index}]", fields.mistakes).need("", name, None)
    return frozenset(value for value in given if isinstance(value, str))
