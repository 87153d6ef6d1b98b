# SPDX-License-Identifier: Apache-2.0
"""The requests of the controller to the MEC manager: prefetching of state, and user data."""

import time
from collections.abc import Callable

from gevent.lock import BoundedSemaphore

from mec.common.json_answers import check_json
from mec.controller.schemas import prefetch_body
from submgr.platform.http.client import HttpClient
from submgr.platform.http.errors import HttpError

TIMEOUT = 2.0
"""Seconds for one request, of which connecting takes no more than half."""
MAX_USER_DATA = 16 * 1024 * 1024
PAUSE = 2.0
"""Seconds for which a manager that did not answer is not asked for user data."""


class Unanswered(Exception):
    """The manager could not say whether there are user data: it did not answer lately, or answered 5xx."""


class ManagerClient:
    """Talks to the manager at a URL."""

    def __init__(self, url: str, client: HttpClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._silent_until = 0.0

    def prefetch_state(self, imsi: str) -> bool:
        """Has the manager fetch the state of a UE. Returns whether it agreed. Raises HttpError or OSError."""
        answer = self._client.request(
            "POST",
            f"{self._url}/ams/prefetch/state",
            body=prefetch_body(imsi),
            headers={"Content-Type": "application/json"},
            connect_timeout=TIMEOUT / 2,
            read_timeout=TIMEOUT,
            max_response=1024 * 1024,
        )
        return answer.ok

    def user_data(self, imsi: str) -> bytes | None:
        """The user data as JSON, or None when the manager has none. Raises Unanswered."""
        if self._clock() < self._silent_until:
            raise Unanswered("it did not answer lately")
        try:
            answer = self._client.request(
                "GET",
                f"{self._url}/manager/user/data/?imsi={imsi}",
                connect_timeout=TIMEOUT / 2,
                read_timeout=TIMEOUT,
                max_response=MAX_USER_DATA,
            )
        except (HttpError, OSError) as error:
            self._silent_until = self._clock() + PAUSE
            raise Unanswered(str(error)) from error
        if answer.status >= 500:
            raise Unanswered(f"it answered {answer.status}")
        return answer.body if answer.ok and _is_json(answer.body) else None


class UserData:
    """The subscription data of one UE. The first caller of `get` has the manager asked, the others share the answer.

    `unanswered`: it was asked, and did not answer. `data`: what is known already.
    """

    def __init__(self, manager: ManagerClient, imsi: str, data: bytes | None = None) -> None:
        self.unanswered = False
        self._manager = manager
        self._imsi = imsi
        self._asking = BoundedSemaphore(1)
        self._asked = data is not None
        self._data = data

    def get(self) -> bytes | None:
        """The data as JSON, or None."""
        with self._asking:
            if not self._asked:
                try:
                    self._data = self._manager.user_data(self._imsi)
                except Unanswered:
                    self.unanswered = True
                self._asked = True
            return self._data


def _is_json(data: bytes) -> bool:
    try:
        check_json(data)
    except ValueError:
        return False
    return True
