# SPDX-License-Identifier: Apache-2.0
"""The request to end the process, and its exit status."""

import logging

from gevent.event import Event

log = logging.getLogger(__name__)

LOST_LEASE = 3
"""Exit status of a process that another one has followed. It has to be started again, and is a standby then."""


class Shutdown:
    """The request to end the process.

    `exit_code` is the exit status of the first request, None before. `requested` is set by the first request.
    """

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.requested = Event()

    def request(self, exit_code: int) -> None:
        """Asks for the end of the process. The first request counts."""
        if self.exit_code is None:
            self.exit_code = exit_code
        self.requested.set()

    def followed(self, why: str) -> None:
        """Asks for the end of the process with exit status LOST_LEASE, because another one is active."""
        log.error("the process ends and has to be started again, as a standby: %s", why)
        self.request(LOST_LEASE)

    def broken(self, why: str) -> None:
        """Asks for the end of the process with exit status 1, because it is beyond repair from inside."""
        log.error("the process ends: %s", why)
        self.request(1)
