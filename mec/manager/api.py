# SPDX-License-Identifier: Apache-2.0
"""HTTP of the manager: a user's subscription data."""

from flask import Blueprint, Response, request

from mec.common import imsi as imsis
from mec.common.problem_details import Answers, answer_errors, check, in_pieces, parameters
from mec.manager.service import Circle, HomeSilent, UnknownUser, Users
from submgr.platform.http.app import ApiError
from submgr.platform.store.base import StoreError

_ANSWERS: Answers = {
    UnknownUser: lambda _: ApiError(404, "there is no such user"),
    HomeSilent: lambda error: ApiError(502, f"the home MEC of the user was asked: {error}"),
    Circle: lambda _: ApiError(508, "the request goes in a circle: this MEC is not the home of its users"),
    StoreError: lambda error: ApiError(503, f"the store does not answer: {error}", headers={"Retry-After": "1"}),
}


def manager_blueprint(users: Users) -> Blueprint:
    """`GET /manager/user/data?imsi=`."""
    blueprint = Blueprint("manager", __name__)
    answer_errors(blueprint, _ANSWERS)

    def data() -> Response:
        fields = parameters(request.args)
        imsi = fields.need("imsi", imsis.parse, "")
        check(fields.mistakes)
        found = users.data_of(imsi)
        return in_pieces(found.pieces, found.size)

    blueprint.add_url_rule("/manager/user/data", "data", data, methods=["GET"])
    return blueprint
