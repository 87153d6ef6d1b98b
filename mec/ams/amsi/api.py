# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface of MEC 021 v2.2.1: `/amsi/v1`."""

import re
import time

from flask import Blueprint, Response, request

from mec.ams.amsi import schemas
from mec.ams.amsi.model import TYPES_IN_QUERIES, MobilityService, Registrations, Subscription
from mec.ams.amsi.service import new_id
from mec.common.problem_details import Answers, answer_errors, bad_field, json_object, only_parameters
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.outbound_rules import Outbound
from submgr.platform.store.base import StoreError

_BASE = "/amsi/v1"
_PARAMETERS = {
    "services": ("filter", "appMobilityServiceId"),
    "subscriptions": ("subscriptionType",),
    "adjacent": ("filter", "appInstanceId"),
}
"""Query parameters by view (MEC 021, 8.3 to 8.9)."""
_FILTER = re.compile(r"\(eq,(\w+),([^()]*)\)\Z")


_ANSWERS: Answers = {StoreError: lambda error: ApiError(503, f"not stored: {error}", headers={"Retry-After": "1"})}


def amsi_blueprint(mobility: Registrations, outbound: Outbound) -> Blueprint:
    """The routes of all resources below `/amsi/v1`. `outbound` refuses addresses of callbacks."""
    blueprint = Blueprint("amsi", __name__)
    answer_errors(blueprint, _ANSWERS)
    only_parameters(blueprint, _PARAMETERS)
    _add_services(blueprint, mobility)
    _add_subscriptions(blueprint, mobility, outbound)

    def adjacent() -> Response:
        return json_response(mobility.adjacent(_filtered("appInstanceId")))

    path = f"{_BASE}/queries/adjacent_app_instances"
    blueprint.add_url_rule(path, "adjacent", adjacent, methods=["GET"])
    return blueprint


def _add_services(blueprint: Blueprint, mobility: Registrations) -> None:
    path = f"{_BASE}/app_mobility_services"

    def known(service_id: str) -> MobilityService:
        service = mobility.service(service_id)
        if service is None:
            raise _gone_service()
        return service

    def listed() -> Response:
        wanted = _filtered("appMobilityServiceId")
        services = [each for each in mobility.services() if wanted in (None, each.id)]
        return json_response([schemas.service_view(each) for each in services])

    def register() -> Response:
        body = json_object()
        if body.get("appMobilityServiceId") is not None:
            raise bad_field("appMobilityServiceId", "is given by the service")
        service = schemas.service_of(body, new_id(), time.time())
        mobility.put_service(service)
        return json_response(schemas.service_view(service), 201, {"Location": _url(f"{path}/{service.id}")})

    def one(service_id: str) -> Response:
        return json_response(schemas.service_view(known(service_id)))

    def change(service_id: str) -> Response:
        known(service_id)
        service = schemas.service_of(json_object(), service_id, time.time())
        if not mobility.put_service(service, new=False):
            raise _gone_service()
        return json_response(schemas.service_view(service))

    def deregister(service_id: str) -> Response:
        known(service_id)
        mobility.remove_service(service_id)
        return Response(status=204)

    blueprint.add_url_rule(path, "services", listed, methods=["GET"])
    blueprint.add_url_rule(path, "register", register, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<service_id>", "service", one, methods=["GET"])
    blueprint.add_url_rule(f"{path}/<service_id>", "change", change, methods=["PUT"])
    blueprint.add_url_rule(f"{path}/<service_id>", "remove", deregister, methods=["DELETE"])
    blueprint.add_url_rule(f"{path}/<service_id>/deregister_task", "deregister", deregister, methods=["POST"])


def _add_subscriptions(blueprint: Blueprint, mobility: Registrations, outbound: Outbound) -> None:
    path = f"{_BASE}/subscriptions"

    def known(subscription_id: str) -> Subscription:
        subscription = mobility.subscription(subscription_id)
        if subscription is None:
            raise _gone_subscription()
        return subscription

    def listed() -> Response:
        wanted = request.args.get("subscriptionType")
        if wanted is not None and wanted not in TYPES_IN_QUERIES:
            raise bad_field("subscriptionType", f"is none of {', '.join(TYPES_IN_QUERIES)}")
        links = [
            {"href": each.self_url, "subscriptionType": each.type}
            for each in mobility.subscriptions()
            if wanted is None or each.type == TYPES_IN_QUERIES[wanted]
        ]
        return json_response({"_links": {"self": {"href": _url(path)}, "subscription": links}})

    def subscribe() -> Response:
        body = json_object()
        subscription_id = new_id()
        url = _url(f"{path}/{subscription_id}")
        subscription = schemas.subscription_of(body, subscription_id, url, time.time(), outbound.url_refusal)
        mobility.put_subscription(subscription, test=schemas.wants_test(body))
        headers = {"Location": subscription.self_url}
        return json_response(schemas.subscription_view(subscription), 201, headers)

    def one(subscription_id: str) -> Response:
        return json_response(schemas.subscription_view(known(subscription_id)))

    def change(subscription_id: str) -> Response:
        before = known(subscription_id)
        body = json_object()
        subscription = schemas.subscription_of(
            body, subscription_id, before.self_url, time.time(), outbound.url_refusal
        )
        if not mobility.put_subscription(subscription, new=False, test=schemas.wants_test(body)):
            raise _gone_subscription()
        return json_response(schemas.subscription_view(subscription))

    def cancel(subscription_id: str) -> Response:
        known(subscription_id)
        mobility.remove_subscription(subscription_id)
        return Response(status=204)

    blueprint.add_url_rule(path, "subscriptions", listed, methods=["GET"])
    blueprint.add_url_rule(path, "subscribe", subscribe, methods=["POST"])
    blueprint.add_url_rule(f"{path}/<subscription_id>", "subscription", one, methods=["GET"])
    blueprint.add_url_rule(f"{path}/<subscription_id>", "change_subscription", change, methods=["PUT"])
    blueprint.add_url_rule(f"{path}/<subscription_id>", "cancel", cancel, methods=["DELETE"])


def _gone_service() -> ApiError:
    return ApiError(404, "there is no such application mobility service")


def _gone_subscription() -> ApiError:
    return ApiError(404, "there is no such subscription")


def _filtered(name: str) -> str | None:
    """What a query asks for: `name=…`, or `filter=(eq,name,…)` (MEC 009, 6.19)."""
    expression = request.args.get("filter")
    if expression is None:
        return request.args.get(name)
    found = _FILTER.match(expression)
    if found is None or found[1] != name:
        raise bad_field("filter", f"only (eq,{name},<value>) is known")
    return found[2]


def _url(path: str) -> str:
    return f"{request.host_url.rstrip('/')}{path}"
