# SPDX-License-Identifier: Apache-2.0
"""The HTTP interface of application mobility: `/ams`."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from mec.ams import schemas
from mec.ams.model import NoState, StateError
from mec.ams.service import Ams, NotifyError, UnknownUe
from mec.common import imsi as imsis
from mec.common.ids import app_id, mec_id
from mec.common.problem_details import Answers, answer_errors, check, in_pieces, json_object, parameters
from submgr.platform.http.app import ApiError, after_sent, json_response
from submgr.platform.store.base import StoreError

_DONE = {"status": "ok"}


_ANSWERS: Answers = {
    NotifyError: lambda error: ApiError(500, str(error)),
    StoreError: lambda error: ApiError(500, f"not stored yet: {error}"),
    NoState: lambda error: ApiError(404, str(error)),
    StateError: lambda error: ApiError(500, str(error)),
}


def ams_blueprint(ams: Ams) -> Blueprint:
    """The routes below `/ams`."""
    blueprint = Blueprint("ams", __name__)
    answer_errors(blueprint, _ANSWERS)

    def notify() -> Response:
        imsi, mec, app = _movement()
        ams.notify(imsi, mec, app)
        return json_response(_DONE)

    def notification() -> Response:
        imsi, mec, app = _movement()
        ams.notified(imsi, mec, app)
        return json_response(_DONE)

    def fetch() -> Response:
        imsi, app = _subject()
        # every answer of this route says whether a state was found
        try:
            return in_pieces(*schemas.found(ams.fetch(imsi, app)))
        except UnknownUe:
            return json_response({"found": False}, 404)
        except NoState as exc:
            return json_response({"found": False, "detail": str(exc)}, 404)
        except StateError as exc:
            raise ApiError(500, str(exc), extra={"found": False}) from None

    def get() -> Response:
        imsi, app = _subject()
        answer = in_pieces(*schemas.enveloped(ams.give(imsi, app)))
        return after_sent(answer, lambda: ams.observer.served(imsi, app))

    def prefetch() -> Response:
        fields = parameters(json_object())
        imsi = fields.need("imsi", imsis.parse, "")
        app = fields.take("appId", app_id, "")
        check(fields.mistakes)
        ams.prefetch(imsi, app or None)
        return json_response(_DONE)

    for path, view, methods in (
        ("/ams/app/notify", notify, ["GET", "POST"]),
        ("/ams/app/notification", notification, ["GET", "POST"]),
        ("/ams/fetch/state", fetch, ["GET"]),
        ("/ams/get/state", get, ["GET"]),
        ("/ams/prefetch/state", prefetch, ["POST"]),
    ):
        blueprint.add_url_rule(path, path, view, methods=methods)
    return blueprint


def _movement() -> tuple[str, int, str | None]:
    """Who uses an application where: parameters of the query, or members of a POST's body."""
    fields = parameters(_parameters())
    imsi = fields.need("imsi", imsis.parse, "")
    mec = fields.need("mecId", mec_id, 0)
    app = fields.take("appId", app_id, "")
    check(fields.mistakes)
    return imsi, mec, app or None


def _subject() -> tuple[str, str]:
    fields = parameters(request.args)
    app = fields.need("appId", app_id, "")
    imsi = fields.need("imsi", imsis.parse, "")
    check(fields.mistakes)
    return imsi, app


def _parameters() -> Mapping[str, Any]:
    if request.args or request.method != "POST" or not request.content_length:
        return request.args
    return json_object()
