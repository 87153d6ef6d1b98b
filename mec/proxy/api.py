# SPDX-License-Identifier: Apache-2.0
"""HTTP of the proxy between MECs: notifications, and states and user data of other MECs."""

from flask import Blueprint, Response, request

from mec.common import imsi as imsis
from mec.common.ids import app_id, mec_id
from mec.common.problem_details import Answers, answer_errors, check, parameters, passed_on
from mec.proxy.schemas import unreached_view
from mec.proxy.service import Circle, PeerError, PeerLacks, Proxy, UnknownMec
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.http.client import HttpStream

_ANSWERS: Answers = {
    UnknownMec: lambda _: ApiError(404, "there is no MEC with this mecId"),
    PeerLacks: lambda error: ApiError(404, str(error)),
    PeerError: lambda error: ApiError(502, str(error)),
    Circle: lambda _: ApiError(508, "the request goes in a circle between MECs"),
}


def proxy_blueprint(proxy: Proxy) -> Blueprint:
    """`/app/notify`, `/app/state` and `/user/data`."""
    blueprint = Blueprint("proxy", __name__)
    answer_errors(blueprint, _ANSWERS)

    def notify() -> Response:
        fields = parameters(request.args)
        imsi = fields.need("imsi", imsis.parse, "")
        mec = fields.need("mecId", mec_id, 0)
        app = fields.take("appId", app_id, "")
        check(fields.mistakes)
        reached, failed = proxy.notify(imsi, mec, app or None)
        if failed:
            views = [unreached_view(each) for each in failed]
            message = f"{len(failed)} of {len(failed) + len(reached)} MECs could not be told"
            raise ApiError(502, message, extra={"failed": views, "notified": reached})
        return json_response({"notified": reached})

    def state() -> Response:
        fields = parameters(request.args)
        imsi = fields.need("imsi", imsis.parse, "")
        mec = fields.need("mecId", mec_id, 0)
        app = fields.need("appId", app_id, "")
        check(fields.mistakes)
        return _passed_on(proxy, proxy.state(imsi, mec, app))

    def user_data() -> Response:
        fields = parameters(request.args)
        imsi = fields.need("imsi", imsis.parse, "")
        mec = fields.need("mecId", mec_id, 0)
        check(fields.mistakes)
        return _passed_on(proxy, proxy.user_data(imsi, mec))

    blueprint.add_url_rule("/app/notify", "notify", notify, methods=["GET", "POST"])
    blueprint.add_url_rule("/app/state", "state", state, methods=["GET"])
    blueprint.add_url_rule("/user/data", "data", user_data, methods=["GET"])
    return blueprint


def _passed_on(proxy: Proxy, stream: HttpStream) -> Response:
    """The answer of another MEC, sent on as it comes."""
    answer = passed_on(proxy.body(stream), stream.length)
    answer.call_on_close(stream.close)
    return answer
