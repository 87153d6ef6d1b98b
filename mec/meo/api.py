# SPDX-License-Identifier: Apache-2.0
"""`/meo/v1`: applications, platforms with their telemetry, contexts, and the optimisation, for operators and LCMPs."""

from urllib.parse import quote

import gevent
from flask import Blueprint, Response, request

from mec.common.problem_details import answer_errors, bad_field
from mec.meo import schemas, views
from mec.meo.credentials import mistake
from mec.meo.drivers.base import DriverError
from mec.meo.error_answers import ANSWERS
from mec.meo.errors import Unknown
from mec.meo.events import EventAnswers
from mec.meo.lcmp.schemas import Refusal, parse_wish
from mec.meo.model import Platform
from mec.meo.optimiser import Migration, Optimiser
from mec.meo.service import Meo
from submgr.platform.http.api_documents import ApiDocument, DocumentFile
from submgr.platform.http.api_pages import add_document
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.http.bearer import require_token
from submgr.platform.http.changes import audit_changes
from submgr.platform.turns import in_turns

BASE = "/meo/v1"
_STATUS = "meo.deployment_status"
_NO_CHANGE = ("meo.load", "meo.key", "meo.latency", "meo.select", _STATUS)
"""Views that take what platforms tell of themselves, or change nothing."""
PATIENCE = 2.3
"""Seconds a request waits for what goes on in the background; then it is answered with how far that is."""


def admin_blueprint(meo: Meo, optimiser: Optimiser, refusal: Refusal) -> Blueprint:
    """The routes under `/meo/v1`. `refusal` says why a callback or a platform must not be called."""
    routes = Blueprint("meo", __name__, url_prefix=BASE)
    answer_errors(routes, ANSWERS)
    audit_changes(routes, unless=_NO_CHANGE)
    routes.before_request(lambda: _authenticate(meo))
    add_document(routes, ApiDocument(DocumentFile("mec.meo", "openapi.yaml")))
    _app_routes(routes, meo)
    _platform_routes(routes, meo, refusal)
    _context_routes(routes, meo, refusal)
    _deployment_routes(routes, meo)
    routes.add_url_rule("/events", "events", EventAnswers(meo.events).answer, methods=["GET"])
    _optimise_routes(routes, meo, optimiser)
    return routes


def _authenticate(meo: Meo) -> None:
    """Platforms have a token for the state of each deployment, and no other. Raises ApiError 401."""
    if request.endpoint != _STATUS:
        require_token(meo.settings.required_admin_tokens)


def _app_routes(routes: Blueprint, meo: Meo) -> None:
    def check(kind: str, deploy_info: object) -> str | None:
        driver = meo.driver_of(Platform("", kind, ""))
        return driver.check(deploy_info) if driver is not None else None

    @routes.post("/apps")
    def add_app() -> Response:
        app = meo.inventory.add_app(schemas.parse_app(check))
        location = f"{BASE}/apps/{quote(app.key, safe='')}"
        return json_response(views.app(meo, app), 201, {"Location": location})

    @routes.get("/apps")
    def apps() -> Response:
        meo.inventory.check_ready()
        return json_response([views.app(meo, app) for app in meo.state.apps.values() if not app.withdrawn])

    @routes.get("/apps/<path:key>")
    def app(key: str) -> Response:
        return json_response(views.app(meo, meo.inventory.app(key)))

    @routes.delete("/apps/<path:key>")
    def remove_app(key: str) -> Response:
        meo.inventory.remove_app(key)
        return Response(status=204)


def _platform_routes(routes: Blueprint, meo: Meo, refusal: Refusal) -> None:
    def check(platform: Platform) -> tuple[str, str] | None:
        driver = meo.driver_of(platform)
        if driver is None:
            return "type", f"there is no driver for platforms of type {platform.type}; meo.drivers can name one"
        if (wrong := mistake(platform.credentials, meo.settings.credentials_dir)) is not None:
            return "credentials", wrong
        try:
            message = driver.check_platform(meo.with_credentials(platform))
        except DriverError as exc:
            return "credentials", str(exc)
        return ("endpointMgmt", message) if message is not None else None

    @routes.post("/platforms")
    def add_platform() -> Response:
        platform = schemas.parse_platform(check, refusal)
        meo.inventory.add_platform(platform)
        location = f"{BASE}/platforms/{quote(platform.name, safe='')}"
        return json_response(views.platform(meo, platform), 201, {"Location": location})

    @routes.get("/platforms")
    def platforms() -> Response:
        names = [platform.name for platform in meo.inventory.visible_platforms()]
        key = request.args.get("appKey")
        app = meo.inventory.app(key) if key else None
        known = meo.state.platforms
        return json_response([views.platform(meo, known[name], app) for name in in_turns(names) if name in known])

    @routes.get("/rules")
    def rules() -> Response:
        return json_response(views.rules(meo.settings.rules))

    @routes.get("/platforms/<name>")
    def platform(name: str) -> Response:
        for platform in meo.inventory.visible_platforms():
            if platform.name == name:
                return json_response(views.platform(meo, platform))
        raise Unknown(f"there is no platform {name}")

    @routes.delete("/platforms/<name>")
    def remove_platform(name: str) -> Response:
        meo.inventory.withdraw_platform(name)
        meo.inventory.wait_until_forgotten(name, PATIENCE)
        if left := meo.state.count_at(name):
            return json_response({"name": name, "contexts": left, "withdrawn": True}, 202)
        return Response(status=204)

    @routes.post("/platforms/<name>/load")
    def load(name: str) -> Response:
        meo.inventory.platform(name)
        meo.inventory.tell(name, load=schemas.parse_value())
        return Response(status=204)

    @routes.post("/platforms/<name>/key")
    def key(name: str) -> Response:
        meo.inventory.platform(name)
        meo.inventory.tell(name, key=schemas.parse_value())
        return Response(status=204)

    @routes.post("/platforms/<name>/capacity")
    def capacity(name: str) -> Response:
        meo.inventory.platform(name)
        meo.inventory.tell_capacity(name, schemas.parse_capacity())
        return Response(status=204)

    @routes.post("/platforms/<name>/latency")
    def latency(name: str) -> Response:
        meo.inventory.platform(name)
        meo.inventory.tell_latency(name, *schemas.parse_latency())
        return Response(status=204)


def _context_routes(routes: Blueprint, meo: Meo, refusal: Refusal) -> None:
    @routes.post("/contexts")
    def add_context() -> Response:
        wish, _ = parse_wish(refusal, device_required=False)
        context = meo.admit(wish)
        return json_response(views.context(meo, context), 201, {"Location": f"{BASE}/contexts/{context.id}"})

    @routes.get("/contexts")
    def contexts() -> Response:
        meo.inventory.check_ready()
        platform, key, known = request.args.get("platform"), request.args.get("appKey"), meo.state.contexts
        limit, wanted = _limit(), []
        for context_id in in_turns(list(known)):
            context = known.get(context_id)
            if context is None or (platform or context.platform) != context.platform:
                continue
            if (key or context.app_key) == context.app_key:
                wanted.append(context_id)
        newest = wanted if limit is None else wanted[-limit:]
        found = [views.context(meo, known[each]) for each in in_turns(newest) if each in known]
        return json_response(found, headers={"X-Total-Count": str(len(wanted))})

    @routes.get("/contexts/<context_id>")
    def context(context_id: str) -> Response:
        return json_response(views.context(meo, meo.context(context_id)))

    @routes.delete("/contexts/<context_id>")
    def remove_context(context_id: str) -> Response:
        meo.end(context_id)
        return Response(status=204)

    @routes.post("/select")
    def select() -> Response:
        wish, _ = parse_wish(refusal, device_required=False)
        choice = meo.select(wish)
        return json_response({"platform": choice.site.name, "score": choice.score, "chance": choice.chance})


def _deployment_routes(routes: Blueprint, meo: Meo) -> None:
    @routes.get("/deployments")
    def deployments() -> Response:
        meo.inventory.check_ready()
        platform, key = request.args.get("platform"), request.args.get("appKey")
        return json_response(
            [
                views.deployment(meo, pair)
                for pair in in_turns(meo.deployments.pairs())
                if (platform or pair.platform) == pair.platform and (key or pair.app_key) == pair.app_key
            ]
        )

    @routes.post("/deployments/<deployment_id>/status")
    def deployment_status(deployment_id: str) -> Response:
        meo.inventory.check_ready()
        require_token((meo.deployment_states.token(deployment_id),))
        meo.deployment_states.report(deployment_id, *schemas.parse_status())
        return Response(status=204)


def _optimise_routes(routes: Blueprint, meo: Meo, optimiser: Optimiser) -> None:
    @routes.post("/optimize")
    def optimize() -> Response:
        meo.inventory.check_ready()
        if _flag("dry_run"):
            return json_response([_migration(migration) for migration in optimiser.plan()])
        done: list[Migration] = []
        running = gevent.spawn(optimiser.round, done.append)
        running.join(PATIENCE)
        if running.ready():
            running.get()
        return json_response([_migration(migration) for migration in done], 200 if running.ready() else 202)


def _limit() -> int | None:
    """The parameter `limit`: how many at most. Raises ApiError 400."""
    text = request.args.get("limit", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text)):
        raise bad_field("limit", "must be a whole number from 1 on")
    return int(text)


def _flag(name: str) -> bool:
    value = request.args.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", ""):
        raise ApiError(400, f"{name} must be true or false", [{"field": name, "message": "must be true or false"}])
    return value in ("true", "1")


def _migration(migration: Migration) -> dict[str, str]:
    return {
        "contextId": migration.context_id,
        "origin": migration.origin,
        "target": migration.target,
        "reason": migration.reason,
    }
