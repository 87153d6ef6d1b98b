# SPDX-License-Identifier: Apache-2.0
"""Makes the symptom data: files that show an operator what the daemon was doing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import msgspec
from flask import Response

from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.native_threads import in_thread
from submgr.rest.contents import Contents
from submgr.rest.events import Events
from submgr.rest.overview import Overviews
from submgr.rest.use_cases import Operations, Subscriptions
from submgr.rest.views import (
    encode_e2_subscriptions,
    encode_list,
    encode_rest_subscriptions,
    health_view,
    orphan_view,
)

_MOST_WHOLE = 1000
"""E2 subscriptions whose content the symptom data have in words and as a tree: some seconds of work."""


class Symptoms:
    """The symptom data as an answer; those who ask at the same time get the same."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        operations: Operations,
        contents: Contents,
        events: Events,
        overviews: Overviews,
    ) -> None:
        self._subscriptions = subscriptions
        self._operations = operations
        self._contents = contents
        self._events = events
        self._overviews = overviews
        self._archives: SharedAnswers[bytes] = SharedAnswers()

    def answer(self) -> Response:
        """A zip with subscriptions, how they went, configuration, metrics, events and recent log."""
        headers = {"Content-Disposition": 'attachment; filename="symptomdata.zip"'}
        return Response(self._archives.get(self._archive), content_type="application/zip", headers=headers)

    def _archive(self) -> bytes:
        operations = self._operations
        records = list(self._subscriptions.e2_subscriptions())
        health = {"alive": health_view(operations.alive()), "ready": health_view(operations.ready())}
        return zip_files(
            {
                "subscriptions.json": encode_e2_subscriptions(self._subscriptions.listed()),
                "restsubscriptions.json": encode_rest_subscriptions(self._subscriptions.rest_subscriptions()),
                "e2subscriptions.json": encode_list(records, operations.record_json),
                "contents.json": encode_list(self._contents.wholes(records[:_MOST_WHOLE]), dict),
                "events.json": self._events.all(),
                "overview.json": self._overviews.process(),
                "outcomes.json": self._overviews.outcomes(),
                "orphans.json": encode_list(operations.orphans(), orphan_view),
                "e2nodes.json": msgspec.json.encode(sorted(self._subscriptions.connected_nodes())),
                "health.json": msgspec.json.encode(health),
                "config.json": msgspec.json.encode(operations.config()),
                "metrics.txt": operations.metrics()[0],
                "log.txt": "".join(f"{line}\n" for line in operations.recent_log()).encode(errors="replace"),
            }
        )


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of `files` (name to content). A native thread packs it, so that the hub goes on."""
    return in_thread(_packed, files)


def _packed(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return archive.getvalue()
