# SPDX-License-Identifier: Apache-2.0
"""Shows the MEC services that run in this process, which have a port of their own, beside the subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from flask import Response
from msgspec import Struct, field

from submgr.platform.http.app import ApiError
from submgr.platform.http.shared_answers import SharedAnswers

Look = Callable[[], Mapping[str, object]]
"""Makes what operators see of one service. It may wait for a neighbour for some seconds."""


class Edge(Struct, frozen=True):
    """The services that run in this process. The composition adds them; there are none when MEC is switched off."""

    mecs: list[Look] = field(default_factory=list)
    orchestrators: list[Look] = field(default_factory=list)

    def routes(self) -> list[tuple[str, Callable[[], Response]]]:
        """The routes of the platform API, with their views."""
        return [
            ("/ric/v1/mec/overview", _view(self.mecs, "Mecs", "MEC")),
            ("/ric/v1/meo/overview", _view(self.orchestrators, "Orchestrators", "orchestrator")),
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
