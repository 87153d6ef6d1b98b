# SPDX-License-Identifier: Apache-2.0
"""Reads requests of operators and device applications into the model, and tells all mistakes of one at once."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from mec.common.problem_details import check, json_object
from mec.meo import values
from mec.meo.lcmp.location import read_location
from mec.meo.model import App, AppInfo, Platform, QkdSource, Support, Wish
from submgr.platform.http.json_fields import Convert, Dialect, Fields, Mistakes, truth, whole

_DIALECT = Dialect()
_PLATFORM_NAME = re.compile(r"[^/\x00-\x1f\x7f]+\Z")
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
    check(reader.mistakes)
    check(conflicts, 409)
    assert app_info is not None
    return App(app_info, tuple(supports), vendor_id)


def parse_platform(driver_check: Callable[[Platform], tuple[str, str] | None]) -> Platform:
    """The body of the current request as a platform.

    `driver_check` tells what is wrong with the platform for its driver: a field and a message. Raises ApiError 400, and
    409 for a platform that the driver cannot do anything with.
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
        location=read_location(reader.child("location")),
    )
    check(reader.mistakes)
    if (mistake := driver_check(platform)) is not None:
        conflicts.add(*mistake)
    check(conflicts, 409)
    return platform


def parse_value() -> float:
    """`{"value": 0..1}` of the current request. Raises ApiError 400."""
    reader = _body()
    value = reader.need("value", values.share, 0.0)
    check(reader.mistakes)
    return value


def parse_wish(*, device_required: bool) -> tuple[Wish, Mapping[str, Any]]:
    """The AppContext of the current request, and its raw form. Raises ApiError 400 (MEC 016, 6.2.3)."""
    reader = _body()
    read_device = reader.need if device_required else reader.take
    device = read_device("associateDevAppId", values.name, "")
    callback = reader.take("callbackReference", values.url, None)
    reader.take("contextId", values.name, None)
    updates = reader.take("appLocationUpdates", truth, None)
    auto = reader.take("appAutoInstantiation", truth, None)
    if updates and auto:
        reader.wrong("appAutoInstantiation", "must not be true together with appLocationUpdates")
    info = reader.child("appInfo", required=True)
    app_info = _wanted_info(info) if info is not None else {}
    location = None
    for _, instance in info.children("userAppInstanceInfo") if info is not None else ():
        given = read_location(instance.child("appLocation"))
        location = location or given
    check(reader.mistakes)
    return Wish(app_info, device, callback, location, updates, auto), reader.values


def parse_location_request() -> tuple[str, Mapping[str, Any]]:
    """The device and the application of the ApplicationLocationAvailability in the current request.

    Raises ApiError 400 (MEC 016, 6.2.4).
    """
    reader = _body()
    device = reader.need("associateDevAppId", values.name, "")
    info = reader.child("appInfo", required=True)
    app_info = _wanted_info(info) if info is not None else {}
    check(reader.mistakes)
    return device, app_info


def parse_filters(*names: str) -> tuple[Mapping[str, frozenset[str]], int | None]:
    """The filters in the query of an application list: the accepted values per name, and serviceCont.

    Raises ApiError 400 (MEC 016, 7.3.3.1).
    """
    mistakes = Mistakes(_DIALECT)
    filters: dict[str, frozenset[str]] = {}
    for name in names:
        accepted = [value for given in request.args.getlist(name) for value in given.split(",") if value]
        if any(len(value) > values.MAX_NAME for value in accepted):
            mistakes.add(name, f"must not be longer than {values.MAX_NAME} characters")
        if accepted:
            filters[name] = frozenset(accepted)
    service_cont = request.args.get("serviceCont")
    if service_cont not in (None, "0", "1"):
        mistakes.add("serviceCont", "must be 0 or 1")
    check(mistakes)
    return filters, None if service_cont is None else int(service_cont)


def _body() -> Fields:
    return Fields(json_object(), "", Mistakes(_DIALECT))


def _registered_info(info: Fields) -> AppInfo:
    """AppInfo of an application list (MEC 016, 6.2.2)."""
    extra: dict[str, Any] = {}
    if (characteristics := info.child("appCharcs")) is not None:
        extra["appCharcs"] = _characteristics(characteristics)
    if locations := [read_location(location) for _, location in info.children("appLocation")]:
        extra["appLocation"] = locations
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


def _wanted_info(info: Fields) -> dict[str, Any]:
    """AppInfo with which a device describes the application that it wants."""
    found = {
        "appDId": info.take("appDId", values.descriptor, None),
        "appName": info.need("appName", values.name, None),
        "appProvider": info.need("appProvider", values.name, None),
        "appSoftVersion": info.take("appSoftVersion", values.name, None),
        "appDVersion": info.need("appDVersion", values.descriptor, None),
        "appDescription": info.take("appDescription", values.description, None),
        "appPackageSource": info.take("appPackageSource", values.url, None),
    }
    return {name: value for name, value in found.items() if value is not None}


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
