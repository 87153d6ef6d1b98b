# SPDX-License-Identifier: Apache-2.0
"""JSON of requests to the model, with all mistakes told at once."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from mec.common.problem_details import json_object
from mec.meo.lcmp.location import read_location
from mec.meo.model import App, AppInfo, Platform, QkdSource, Support, Wish
from mec.meo.reading import MAX_DESCRIPTION, MAX_NAME, Mistakes, Reader

MAX_PLATFORM = 128
MAX_DESCRIPTOR = 128
"""Characters of appDId and appDVersion, which MEC 016 does not limit."""

_PLATFORM_NAME = re.compile(r"[^/\x00-\x1f\x7f]+\Z")
_KME = re.compile(r"(https?://)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?\Z")


def parse_app(check: Callable[[str, Any], str | None]) -> App:
    """The body of the current request as an application; `check` tells what is wrong with the deployInfo for a type of
    platform. Raises ApiError 400, and 409 for what is well-formed and contradicts the drivers or itself."""
    reader, conflicts = _body(), Mistakes()
    info = reader.child("appInfo", required=True)
    supports: list[Support] = []
    for one in reader.children("platforms", required=True):
        support = _support(one)
        if any(support.type == other.type for other in supports):
            conflicts.add(f"{one.path}type", f"{support.type} is given twice")
        elif (message := check(support.type, support.deploy_info)) is not None:
            conflicts.add(f"{one.path}deployInfo", message)
        supports.append(support)
    extension = reader.child("vendorSpecificExt")
    vendor_id = extension.text("vendorId", required=True) if extension is not None else None
    app_info = _registered_info(info) if info is not None else None
    reader.mistakes.check()
    conflicts.check(409)
    assert app_info is not None
    return App(app_info, tuple(supports), vendor_id)


def parse_platform(driver_check: Callable[[Platform], tuple[str, str] | None]) -> Platform:
    """The body of the current request as a platform; `driver_check` tells what is wrong with it for its driver: a
    field and a message. Raises ApiError 400, and 409 for a platform that the driver cannot do anything with."""
    reader, conflicts = _body(), Mistakes()
    name = reader.text("name", MAX_PLATFORM, required=True)
    if name is not None and (not _PLATFORM_NAME.match(name) or name in (".", "..")):
        reader.wrong("name", "must not contain a slash, and be neither . nor ..")
    platform = Platform(
        name=name or "",
        type=reader.text("type", MAX_PLATFORM, required=True) or "",
        endpoint_apps=reader.link("endpointApps", required=True) or "",
        endpoint_mgmt=reader.link("endpointMgmt") or "",
        credentials=reader.present("credentials"),
        qkd=_qkd(reader.child("qkd")),
        location=read_location(reader.child("location")),
    )
    reader.mistakes.check()
    if (mistake := driver_check(platform)) is not None:
        conflicts.add(*mistake)
    conflicts.check(409)
    return platform


def parse_value() -> float:
    """`{"value": 0..1}` of the current request. Raises ApiError 400."""
    reader = _body()
    value = reader.present("value", required=True)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1):
        reader.wrong("value", "must be a number from 0 to 1")
    reader.mistakes.check()
    return float(value)


def parse_wish(*, device_required: bool) -> tuple[Wish, Mapping[str, Any]]:
    """The AppContext of the current request (MEC 016, 6.2.3), and its raw form. Raises ApiError 400."""
    reader = _body()
    device = reader.text("associateDevAppId", required=device_required)
    callback = reader.url("callbackReference")
    reader.text("contextId")
    updates, auto = reader.truth("appLocationUpdates"), reader.truth("appAutoInstantiation")
    if updates and auto:
        reader.wrong("appAutoInstantiation", "must not be true together with appLocationUpdates")
    info = reader.child("appInfo", required=True)
    app_info = _wanted_info(info) if info is not None else {}
    location = None
    for instance in info.children("userAppInstanceInfo") if info is not None else ():
        given = read_location(instance.child("appLocation"))
        location = location or given
    reader.mistakes.check()
    return Wish(app_info, device or "", callback, location, updates, auto), reader.values


def parse_location_request() -> tuple[str, Mapping[str, Any]]:
    """ApplicationLocationAvailability of the current request (MEC 016, 6.2.4): the device and the application. Raises
    ApiError 400."""
    reader = _body()
    device = reader.text("associateDevAppId", required=True)
    info = reader.child("appInfo", required=True)
    app_info = _wanted_info(info) if info is not None else {}
    reader.mistakes.check()
    return device or "", app_info


def parse_filters(*names: str) -> tuple[Mapping[str, frozenset[str]], int | None]:
    """The filters of the application list in the query (MEC 016, 7.3.3.1): the accepted values per name, and
    serviceCont. Raises ApiError 400."""
    mistakes = Mistakes()
    filters: dict[str, frozenset[str]] = {}
    for name in names:
        values = [value for given in request.args.getlist(name) for value in given.split(",") if value]
        if any(len(value) > MAX_NAME for value in values):
            mistakes.add(name, f"must not be longer than {MAX_NAME} characters")
        if values:
            filters[name] = frozenset(values)
    service_cont = request.args.get("serviceCont")
    if service_cont not in (None, "0", "1"):
        mistakes.add("serviceCont", "must be 0 or 1")
    mistakes.check()
    return filters, None if service_cont is None else int(service_cont)


def _body() -> Reader:
    return Reader(json_object(), "", Mistakes())


def _registered_info(info: Reader) -> AppInfo:
    """AppInfo of an application list (MEC 016, 6.2.2)."""
    extra: dict[str, Any] = {}
    if (characteristics := info.child("appCharcs")) is not None:
        extra["appCharcs"] = _characteristics(characteristics)
    if locations := [read_location(location) for location in info.children("appLocation")]:
        extra["appLocation"] = locations
    return AppInfo(
        app_d_id=info.text("appDId", MAX_DESCRIPTOR, required=True) or "",
        name=info.text("appName", required=True) or "",
        provider=info.text("appProvider", required=True) or "",
        soft_version=info.text("appSoftVersion") or "",
        d_version=info.text("appDVersion", MAX_DESCRIPTOR, required=True) or "",
        description=info.text("appDescription", MAX_DESCRIPTION, empty=True) or "",
        extra=extra,
    )


def _characteristics(values: Reader) -> dict[str, int]:
    names = ("memory", "storage", "latency", "bandwidth")
    found = {name: values.whole(name, 0, 2**32 - 1) for name in names}
    found["serviceCont"] = values.whole("serviceCont", 0, 1)
    return {name: value for name, value in found.items() if value is not None}


def _wanted_info(info: Reader) -> dict[str, Any]:
    """What a device says of an application."""
    found = {
        "appDId": info.text("appDId", MAX_DESCRIPTOR),
        "appName": info.text("appName", required=True),
        "appProvider": info.text("appProvider", required=True),
        "appSoftVersion": info.text("appSoftVersion"),
        "appDVersion": info.text("appDVersion", MAX_DESCRIPTOR, required=True),
        "appDescription": info.text("appDescription", MAX_DESCRIPTION, empty=True),
        "appPackageSource": info.url("appPackageSource"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _support(one: Reader) -> Support:
    kind = one.text("type", MAX_PLATFORM, required=True) or ""
    deploy_info = one.present("deployInfo")
    if deploy_info is None:
        deploy_info = {}
    return Support(kind, one.names("blacklist", MAX_PLATFORM), one.names("whitelist", MAX_PLATFORM), deploy_info)


def _qkd(source: Reader | None) -> QkdSource | None:
    if source is None:
        return None
    kme = source.text("kme", 256, required=True)
    if kme is not None and not _KME.match(kme):
        source.wrong("kme", 'must be a host and port like "kme.example:8443", or a URL')
    slaves = source.names("slaveSaeIds", 256)
    if not slaves:
        source.wrong("slaveSaeIds", "must name at least one peer")
    certificate, key = source.text("cert", 4096), source.text("key", 4096)
    if key is not None and certificate is None:
        source.wrong("cert", "is required with a key")
    return QkdSource(kme or "", tuple(sorted(slaves)), certificate, key, source.text("ca", 4096))
