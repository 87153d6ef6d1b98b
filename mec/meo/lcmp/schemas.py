# SPDX-License-Identifier: Apache-2.0
"""Reads requests for application contexts into the model, and tells all mistakes of a request at once (MEC 016)."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from mec.common.problem_details import check, json_object
from mec.meo import values
from mec.meo.lcmp.location import read_location
from mec.meo.model import Wish
from submgr.platform.http.json_fields import Dialect, Fields, Mistakes, truth

_DIALECT = Dialect()

Refusal = Callable[[str], str | None]
"""Says why a URL must not be called, None when it may."""


def parse_wish(refusal: Refusal, *, device_required: bool) -> tuple[Wish, Mapping[str, Any]]:
    """The AppContext of the current request, and its raw form. Raises ApiError 400 (MEC 016, 6.2.3)."""
    reader = _body()
    read_device = reader.need if device_required else reader.take
    device = read_device("associateDevAppId", values.name, "")
    callback = reader.take("callbackReference", values.url, None)
    if callback is not None and (why := refusal(callback)) is not None:
        reader.wrong("callbackReference", f"must not be called: {why}")
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
