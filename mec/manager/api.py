# SPDX-License-Identifier: Apache-2.0
"""HTTP of the manager: a user's subscription data."""

from flask import Blueprint, Response, request

from mec.common import imsi as imsis
from mec.common.problem_details import check, in_pieces, parameters
from mec.manager.service import Circle, HomeSilent, UnknownUser, Users
from submgr.platform.http.app import ApiError


def manager_blueprint(users: Users) -> Blueprint:
    """`GET /manager/user/data?imsi=`."""
    blueprint = Blueprint("manager", __name__)

    def data() -> Response:
        fields = parameters(request.args)
        imsi = fields.need("imsi", imsis.parse, "")
        check(fields.mistakes)
        try:
            found = users.data_of(imsi)
        except UnknownUser:
            raise ApiError(404, "there is no such user") from None
        except HomeSilent as exc:
            raise ApiError(502, f"the home MEC of the user was asked: {exc}") from None
        except Circle:
            raise ApiError(508, "the request goes in a circle: this MEC is not the home of its users") from None
        return in_pieces(found.pieces, found.size)

    blueprint.add_url_rule("/manager/user/data", "data", data, methods=["GET"])
    return blueprint
