# SPDX-License-Identifier: Apache-2.0
"""Passes requests on to the replica that is active, and its answers back as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import quote

import gevent
from flask import Response, request

from submgr.platform.http.app import ApiError
from submgr.platform.http.client import HttpClient, HttpStream
from submgr.platform.http.errors import HttpConnectError, HttpError, HttpTimeout

PASSED_ON = "MEC-Passed-On"
"""Header: the request comes from a replica that is not the active one. Nobody passes it on again."""
CONNECT = 0.5
"""Seconds for a connection to the active one, which is a neighbour."""
ANSWER = 3.0
"""Seconds within which it has answered."""
SILENCE = 60.0
"""Seconds between two pieces of an answer without a length (events as they come) after which its sender is gone."""
_AGAIN = 0.25
"""Seconds until a connection that could not be made is tried once more: another one may be active by then."""
_TO = (
    "Accept",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
)
"""Fields of a request that go with it. Its Origin has been looked at here."""
_BACK = (
    "allow",
    "cache-control",
    "content-disposition",
    "content-security-policy",
    "content-type",
    "etag",
    "location",
    "retry-after",
    "www-authenticate",
    "x-accel-buffering",
    "x-total-count",
)
_RAW = "/:@!$&'()*,;=+~"


class Forwarder:
    """`whom` is the address of the active replica, as far as is known; `why_not` says why there is none.

    `more`: seconds beside ANSWER that the active replica may take.
    """

    def __init__(
        self,
        client: HttpClient,
        scheme: str,
        whom: Callable[[], str | None],
        why_not: Callable[[], str | None],
        more: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._client = client
        self._scheme = scheme
        self._whom = whom
        self._why_not = why_not
        self._more = more

    def pass_on(self) -> Response:
        """The answer of the active replica to the request at hand. Raises ApiError 503 when nobody is active."""
        if PASSED_ON in request.headers:
            raise self._nobody("it was passed on already")
        for last in (False, True):
            whom = self._whom()
            if whom is None:
                raise self._nobody(self._why_not() or "nobody has the lease")
            try:
                stream = self._ask(whom)
            except HttpConnectError as exc:
                if last:
                    raise self._nobody(f"the active replica does not answer: {exc}") from exc
                gevent.sleep(_AGAIN)
            except HttpTimeout as exc:
                raise self._nobody(f"the active replica does not answer: {exc}") from exc
            except HttpError as exc:
                raise ApiError(502, f"the active replica broke off: {exc}") from exc
            else:
                return _answer(stream)
        raise AssertionError("the last try returns or raises")

    def _ask(self, whom: str) -> HttpStream:
        path = quote(request.environ["PATH_INFO"].encode("latin-1"), safe=_RAW)
        query = request.environ.get("QUERY_STRING", "")
        headers = {name: value for name in _TO if (value := request.headers.get(name)) is not None}
        headers[PASSED_ON] = "1"
        body = request.get_data() if request.content_length else None
        return self._client.stream(
            request.method,
            f"{self._scheme}://{whom}{path}{'?' + query if query else ''}",
            body=body,
            headers=headers,
            connect_timeout=CONNECT,
            read_timeout=ANSWER + self._more(),
        )

    @staticmethod
    def _nobody(why: str) -> ApiError:
        return ApiError(503, f"no replica is active at the moment: {why}", headers={"Retry-After": "1"})


def _answer(stream: HttpStream) -> Response:
    answer = Response(_body(stream), stream.status)
    del answer.headers["Content-Type"]
    for name in _BACK:
        if (value := stream.headers.get(name)) is not None:
            answer.headers[name] = value
    if stream.length is not None:
        answer.content_length = stream.length
    answer.call_on_close(stream.close)
    return answer


def _body(stream: HttpStream) -> Iterator[bytes]:
    with closing(stream):
        yield from stream.chunks(ANSWER) if stream.length is not None else stream.pieces(SILENCE)
