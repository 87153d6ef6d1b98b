# SPDX-License-Identifier: Apache-2.0
"""GET /ric/v1/routes: the RMR route table in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from flask import Response, request

from submgr.platform.http.app import ApiError, json_response
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.turns import in_turns
from submgr.rest.parameters import Parameters
from submgr.rest.views import Json
from submgr.rmr import mtypes
from submgr.rmr.message import NO_SUB_ID
from submgr.rmr.routing.table import Route, RouteTable

_LARGEST = 1_000_000_000
_ANY = -2
"""Stands for every message type, or every instance id, in a query."""


class Routes:
    """The routes of `table`; None while there is none, and when librmr keeps it."""

    def __init__(self, table: Callable[[], RouteTable | None]) -> None:
        self._table = table
        self._answers: SharedAnswers[Json] = SharedAnswers()

    def answer(self) -> Response:
        """A page of the routes, in the order of the table. One answer is made at a time."""
        parameters = Parameters("offset", "limit", "mtype", "instance")
        offset = parameters.number("offset", 0, _LARGEST, 0)
        limit = parameters.number("limit", 1, 1000, 100)
        mtype = parameters.number("mtype", 0, _LARGEST, _ANY)
        for_all = request.args.get("instance") == str(NO_SUB_ID)
        instance = NO_SUB_ID if for_all else parameters.number("instance", 0, 65535, _ANY)
        table = self._table()
        if table is None:
            raise ApiError(503, "no route table is in force yet, or librmr keeps it to itself")
        make = partial(_page, table, offset, limit, mtype, instance)
        return json_response(self._answers.get(make, f"{offset} {limit} {mtype} {instance}"))


def _page(table: RouteTable, offset: int, limit: int, mtype: int, instance: int) -> Json:
    items: list[Json] = []
    total = 0
    for (sub_id, of_type), route in _asked_for(table, mtype, instance):
        if mtype in (_ANY, of_type) and instance in (_ANY, sub_id):
            total += 1
            if offset < total <= offset + limit:
                items.append(_view(of_type, sub_id, route))
    return {
        "Name": table.name,
        "Records": len(table.routes),
        "Meids": len(table.meids),
        "Skipped": table.unread.count,
        "ForOthers": table.for_others,
        "Total": total,
        "Offset": offset,
        "Items": items,
    }


def _asked_for(table: RouteTable, mtype: int, instance: int) -> Iterable[tuple[tuple[int, int], Route]]:
    """Routes that have all that are asked for. There may be hundreds of thousands: others have turns in between."""
    if _ANY in (mtype, instance):
        return in_turns(table.snapshot().routes.items())
    route = table.routes.get((instance, mtype))
    return [] if route is None else [((instance, mtype), route)]


def _view(mtype: int, sub_id: int, route: Route) -> Json:
    return {
        "MessageType": mtype,
        "Message": mtypes.name_of(mtype),
        "E2EventInstanceId": None if sub_id == NO_SUB_ID else sub_id,
        "ByMeid": route.by_meid,
        "Endpoints": route.groups,
    }
