# SPDX-License-Identifier: Apache-2.0
"""HTTP of the controller: which UEs there are, and the side feed for those whose NAS is ciphered."""

import ipaddress
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request

from mec.common import imsi as imsis
from mec.common.problem_details import bad_field, check, in_pieces, json_object, parameters
from mec.controller.model import Ue
from mec.controller.schemas import fed_addresses, ue_view
from mec.controller.service import Controller
from submgr.platform.http.app import ApiError, json_response
from submgr.platform.turns import turn

_AT_A_TIME = 250
_MOST = 1000
"""UEs that can be asked for as those seen last."""


def controller_blueprint(controller: Controller) -> Blueprint:
    """`GET /ues[?ip=]`, `GET /ues/<imsi>`, `POST /ues` with `{"imsi", "ip"}` (an address or a list of them).

    `GET /ues?limit=` lists the UEs that were seen last.
    """
    blueprint = Blueprint("controller", __name__)
    ues = controller.identities.ues

    def listed() -> Response:
        address = request.args.get("ip")
        if address is None:
            wanted = _limit(request.args.get("limit"))
            answer = in_pieces(_listed(ues.all() if wanted is None else ues.newest(wanted)))
            answer.headers["X-Total-Count"] = str(len(ues))
            return answer
        try:
            holder = ues.holder(str(ipaddress.ip_address(address)))
        except ValueError:
            raise bad_field("ip", "is not an IP address") from None
        return json_response([ue_view(holder)] if holder is not None else [])

    def one(imsi: str) -> Response:
        try:
            ue = ues.find(imsis.parse(imsi))
        except ValueError as exc:
            raise bad_field("imsi", str(exc)) from None
        if ue is None:
            raise ApiError(404, "there is no such UE")
        return json_response(ue_view(ue))

    def feed() -> Response:
        fields = parameters(json_object())
        imsi = fields.need("imsi", imsis.parse, "")
        nothing: tuple[str, ...] = ()
        addresses = fields.need("ip", fed_addresses, nothing)
        check(fields.mistakes)
        return json_response(ue_view(controller.feed(imsi, addresses)))

    blueprint.add_url_rule("/ues", "ues", listed, methods=["GET"])
    blueprint.add_url_rule("/ues", "feed", feed, methods=["POST"])
    blueprint.add_url_rule("/ues/<imsi>", "ue", one, methods=["GET"])
    return blueprint


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:7]) <= _MOST:
        raise bad_field("limit", f"is not a number from 1 to {_MOST}")
    return int(text)


def _listed(ues: list[Ue]) -> Iterator[bytes]:
    """A JSON list; others get their turn while it is made."""
    yield b"["
    for at in range(0, len(ues), _AT_A_TIME):
        views = msgspec.json.encode([ue_view(ue) for ue in ues[at : at + _AT_A_TIME]])
        yield (b"," if at else b"") + views[1:-1]
        turn()
    yield b"]"
