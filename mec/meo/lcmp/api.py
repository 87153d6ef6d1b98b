# SPDX-License-Identifier: Apache-2.0
"""`/dev_app/v1`: the life cycle management proxy, which device applications talk to (ETSI GS MEC 016, clause 7)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response

from mec.common.problem_details import answer_errors, only_parameters
from mec.meo import views
from mec.meo.app_matching import find, matches
from mec.meo.error_answers import ANSWERS
from mec.meo.errors import Unknown
from mec.meo.lcmp import schemas
from mec.meo.model import App, Context, Wish
from mec.meo.service import Meo
from mec.meo.whereabouts import Whereabouts, in_any
from submgr.platform.http.api_documents import ApiDocument, DocumentFile
from submgr.platform.http.api_pages import add_document
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.http.bearer import require_token
from submgr.platform.turns import Budget, in_turns

BASE = "/dev_app/v1"
_FILTERS = ("appName", "appProvider", "appSoftVersion", "vendorId")


def lcmp_blueprint(meo: Meo, refusal: schemas.Refusal) -> Blueprint:
    """The routes under `/dev_app/v1`. `refusal` says why a callback must not be called."""
    routes = Blueprint("dev_app", __name__, url_prefix=BASE)
    answer_errors(routes, ANSWERS)
    routes.before_request(lambda: require_token(meo.settings.required_device_tokens))
    only_parameters(routes, {"app_list": (*_FILTERS, "serviceCont")})
    add_document(routes, ApiDocument(DocumentFile("mec.meo.lcmp", "openapi.yaml")))

    @routes.get("/app_list")
    def app_list() -> Response:
        filters, service_cont = schemas.parse_filters(*_FILTERS)
        meo.inventory.check_ready()
        found = [app for app in meo.state.apps.values() if not app.withdrawn and _passes(app, filters, service_cont)]
        return json_response({"appList": [_listed(app) for app in found]})

    @routes.post("/app_contexts")
    def create() -> Response:
        wish, _ = schemas.parse_wish(refusal, device_required=True)
        context = meo.admit(wish)
        location = f"{BASE}/app_contexts/{context.id}"
        return json_response(views.app_context(meo, context), 201, {"Location": location})

    @routes.put("/app_contexts/<context_id>")
    def update(context_id: str) -> Response:
        meo.context(context_id)
        wish, given = schemas.parse_wish(refusal, device_required=True)
        meo.update(context_id, _updated(meo, wish, given))
        return Response(status=204)

    @routes.delete("/app_contexts/<context_id>")
    def delete(context_id: str) -> Response:
        meo.end(context_id)
        return Response(status=204)

    @routes.post("/obtain_app_loc_availability")
    def locations() -> Response:
        device, app_info = schemas.parse_location_request()
        meo.inventory.check_ready()
        app = find(meo.state.apps_named(app_info["appName"]), app_info)
        if app is None:
            raise Unknown(f"there is no application {app_info['appName']!r} as described")
        available = [{"appLocation": location} for location in _locations(meo, app)]
        return json_response({"associateDevAppId": device, "appInfo": {**app_info, "availableLocations": available}})

    return routes


def _passes(app: App, filters: Mapping[str, frozenset[str]], service_cont: int | None) -> bool:
    """Whether an application is among those that are asked for (MEC 016, 7.3.3.1)."""
    values = {
        "appName": app.info.name,
        "appProvider": app.info.provider,
        "appSoftVersion": app.info.soft_version,
        "vendorId": app.vendor_id,
    }
    if any(values[name] not in accepted for name, accepted in filters.items()):
        return False
    return service_cont is None or app.info.extra.get("appCharcs", {}).get("serviceCont", 0) == service_cont


def _listed(app: App) -> dict[str, Any]:
    entry: dict[str, Any] = {"appInfo": views.app_info(app.info)}
    if app.vendor_id is not None:
        entry["vendorSpecificExt"] = {"vendorId": app.vendor_id}
    return entry


def _updated(meo: Meo, wish: Wish, given: Mapping[str, Any]) -> Callable[[Context], Context]:
    """Only callbackReference and appLocation may change (MEC 016, 7.4.3.2); what is left out stays as it is."""

    def change(context: Context) -> Context:
        old = context.wish
        differs = [
            name
            for name, before, now in (
                ("contextId", context.id, given.get("contextId")),
                ("associateDevAppId", old.device, wish.device),
                ("appLocationUpdates", old.location_updates, wish.location_updates),
                ("appAutoInstantiation", old.auto_instantiation, wish.auto_instantiation),
            )
            if now is not None and now != before and not (before is None and now is False)
        ]
        if not matches(meo.state.apps[context.app_key], wish.app_info):
            differs.append("appInfo")
        if differs:
            message = "cannot be changed, only callbackReference and appLocation"
            raise ApiError(
                400,
                f"{', '.join(differs)} {message}",
                [{"field": name, "message": message} for name in differs],
            )
        location = wish.location if wish.location is not None else old.location
        return replace(context, wish=replace(old, callback=wish.callback or old.callback, location=location))

    return change


def _locations(meo: Meo, app: App) -> Iterable[Mapping[str, Any]]:
    """Where the platforms are that the application may use, each place once."""
    found: list[Mapping[str, Any]] = []
    budget = Budget()
    places = app.info.extra.get("appLocation", ())
    for support in app.supports:
        for site in in_turns(list(meo.state.sites(support.type)), budget):
            platform = meo.state.platforms.get(site.name)
            location = platform.location if platform is not None else None
            if location is None or location in found or site.withdrawn or not support.allows(site.name):
                continue
            if not places or in_any(places, location) is not Whereabouts.ELSEWHERE:
                found.append(location)
    return found
