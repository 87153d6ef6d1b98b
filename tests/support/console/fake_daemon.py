# SPDX-License-Identifier: Apache-2.0
"""A daemon as the console sees it: the console's own files, and answers of which a test says what they are."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from submgr.platform.http.app import ApiError, JsonApp, json_response
from submgr.rest.console_files import console_file
from support.console.samples import answers, events, rows
from support.ports import free_port

Json = dict[str, Any]
BADNESS = ("failed", "partly", "pending", "deleting", "established")


class FakeDaemon:
    """Listens between `start` and `stop`, on one port all its life.

    `answers`: path below /ric/v1 -> what is answered. `rows`: the subscriptions. `refusal`: when set, every request for
    data is answered 503 with these words. `asked`: the requests for data, in order. `deleted`: tokens by path.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.answers = answers()
        self.rows: list[Json] = rows()
        self.events: list[Json] = events()
        self.refusal: str | None = None
        self.gap: Json | None = None
        self.asked: list[str] = []
        self.deleted: dict[str, str | None] = {}
        self.streams: list[queue.SimpleQueue[Json | None]] = []
        self._server: BaseWSGIServer | None = None
        self._app = self._made()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self.port, self._app, threaded=True, request_handler=_Silent)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is None:
            return
        self.cut()
        self._server.shutdown()
        self._server.server_close()
        self._server = None

    def cut(self) -> None:
        """Ends all streams."""
        for stream in self.streams:
            stream.put(None)
        self.streams.clear()

    def happen(self, **fields: Any) -> Json:
        """An event happens, and is told to all streams."""
        number = int(self.events[-1]["Id"].rpartition("-")[2]) + 1
        event = {"Id": f"run-{number}", "Time": "2026-11-29T23:59:59.000Z", "Severity": "info", **fields}
        self.events.append(event)
        for stream in list(self.streams):
            stream.put(event)
        return event

    def _made(self) -> Flask:
        app = JsonApp("fake daemon")
        app.add_url_rule("/", "page", console_file)
        app.add_url_rule("/console/<path:name>", "file", console_file)
        base = "/ric/v1"
        app.add_url_rule(f"{base}/overview/subscriptions", "rows", self._rows)
        app.add_url_rule(f"{base}/overview/subscriptions/<name>", "one", self._one)
        app.add_url_rule(f"{base}/events", "events", self._events)
        app.add_url_rule(f"{base}/<path:path>", "answer", self._answer)
        app.add_url_rule(f"{base}/<path:path>", "delete", self._delete, methods=["DELETE"])
        app.before_request(self._note)
        return app

    def _note(self) -> None:
        if not request.path.startswith("/ric/"):
            return
        self.asked.append(request.full_path.removeprefix("/ric/v1").rstrip("?"))
        if self.refusal is not None:
            raise ApiError(503, self.refusal)

    def _answer(self, path: str) -> Response:
        if path not in self.answers:
            raise ApiError(404, f"there is no {path}")
        return json_response(self.answers[path])

    def _delete(self, path: str) -> Response:
        self.deleted[path] = request.headers.get("Authorization")
        return json_response({"message": "the subscriptions are being deleted"})

    def _rows(self) -> Response:
        asked = request.args
        found = self.rows
        for name, field in (("node", "Meid"), ("xapp", "XApp")):
            if value := asked.get(name):
                found = [row for row in found if row[field] == value]
        if states := asked.get("state"):
            found = [row for row in found if row["State"] in states.split(",")]
        if words := asked.get("q"):
            found = [row for row in found if words.lower() in json.dumps(row).lower()]
        sort = asked.get("sort", "id")
        key, reverse = sort.lstrip("-"), sort.startswith("-")
        fields = {
            "id": "SubscriptionId",
            "node": "Meid",
            "xapp": "XApp",
            "function": "RANFunctionID",
            "time": "Created",
        }
        if key == "state":
            found = sorted(found, key=lambda row: BADNESS.index(row["State"]), reverse=reverse)
        else:
            found = sorted(found, key=lambda row: row[fields[key]], reverse=reverse)
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 100))
        return json_response({"Total": len(found), "Offset": offset, "Items": found[offset : offset + limit]})

    def _one(self, name: str) -> Response:
        known = {row["SubscriptionId"]: row for row in self.rows}
        if name not in known:
            raise ApiError(404, f"there is no REST subscription {name}")
        return json_response({**self.answers["detail"], **known[name]})

    def _events(self) -> Response:
        since, severity = request.args.get("since"), request.args.get("severity")
        worse = {"warning": ("warning", "error"), "error": ("error",)}.get(severity or "")
        known = [each["Id"] for each in self.events]
        first = known.index(since) + 1 if since in known else 0
        found = [each for each in self.events[first:] if worse is None or each["Severity"] in worse]
        if request.args.get("follow") != "true":
            return json_response(found[-int(request.args.get("limit", 200)) :])
        return Response(self._stream(found if since else []), content_type="text/event-stream")

    def _stream(self, first: list[Json]) -> Iterator[str]:
        told: queue.SimpleQueue[Json | None] = queue.SimpleQueue()
        self.streams.append(told)
        yield ": hello\n\n"
        if self.gap is not None:
            gap, self.gap = self.gap, None
            yield f"event: gap\ndata: {json.dumps(gap)}\n\n"
        for event in first:
            yield _message(event)
        while (event := told.get()) is not None:
            yield _message(event)


class _Silent(WSGIRequestHandler):
    """HTTP/1.1, and no line for each request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def _message(event: Json) -> str:
    return f"id: {event['Id']}\nevent: {event['Kind']}\ndata: {json.dumps(event)}\n\n"
