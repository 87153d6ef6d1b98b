# SPDX-License-Identifier: Apache-2.0
"""Shows the MEC services that run in this process, which have a port of their own, beside the subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from flask import Response

from submgr.platform.http.app import ApiError
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.rest.edge import Edge, Look


def edge_routes(edge: Edge) -> list[tuple[str, Callable[[], Response]]]:
    """The routes of the platform API, with their views."""
    return [
        ("/ric/v1/mec/overview", _view(edge.mecs, "Mecs", "MEC")),
        ("/ric/v1/meo/overview", _view(edge.orchestrators, "Orchestrators", "orchestrator")),
    ]


def _view(looks: Sequence[Look], name: str, what: str) -> Callable[[], Response]:
    shared: SharedAnswers[bytes] = SharedAnswers()

    def made() -> bytes:
        return msgspec.json.encode({name: [look() for look in looks]})

    def view() -> Response:
        if not looks:
            raise ApiError(404, f"no {what} runs in this process: the setting mec.enabled is off")
        return Response(shared.get(made), content_type="application/json")

    return view
