# SPDX-License-Identifier: Apache-2.0
"""A live REST subscription: who made it, what it holds, and what is being done for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from submgr.core.commands import Command
from submgr.core.model import ClientEndpoint, RestRecord


class PendingDelete(Protocol):
    """A DELETE that has not been answered. The same DELETE once more joins it; each is named by its token."""

    def join(self, token: int) -> None:
        """Answers this request, too."""

    def owed(self, reason: str) -> Iterator[Command]:
        """Yields what is still owed to xApps when the worker has crashed, for this reason."""


class PendingPost(PendingDelete, Protocol):
    """A POST that has not been answered, and not been worked on."""

    def written(self, token: int, now: float) -> None:
        """The 201 of this request has been written to its socket."""

    def abandoned(self, token: int, now: float) -> None:
        """Nobody waits for the answer to this request any more."""

    def cancel(self, now: float) -> None:
        """A DELETE of the REST subscription was accepted meanwhile."""


class RestSubscription:
    """Owned by its node. `instances`: XappEventInstanceId → instance id of the E2 subscription that it holds.

    `untold`: XappEventInstanceIds of the running request whose outcome the xApp has not been told; while there are
    any, the request is ongoing. `digests`: of the newest request that named the subscription, and of the request that
    created it. `owner`: see `SubscribeRequest`; nobody changes it. `admission`, `withdrawal`: the POST and the DELETE
    that are being answered. `deleting`: a DELETE was accepted. `withdrawn`: that DELETE is written to the store, as
    far as the store takes it. `leaving`: how many jobs still have to end before the record can go.
    """

    digests: tuple[str, ...] = ()
    admission: PendingPost | None = None
    withdrawal: PendingDelete | None = None
    deleting = False
    withdrawn = False
    leaving = 0

    def __init__(
        self, subscription_id: str, created: str, endpoint: ClientEndpoint, meid: str, owner: str | None = None
    ) -> None:
        self.subscription_id = subscription_id
        self.created = created
        self.endpoint = endpoint
        self.meid = meid
        self.owner = owner
        self.instances: dict[int, int] = {}
        self.untold: set[int] = set()

    @property
    def ongoing(self) -> bool:
        return self.admission is not None or bool(self.untold)

    def record(self) -> RestRecord:
        return RestRecord(
            subscription_id=self.subscription_id,
            created=self.created,
            host=self.endpoint.host,
            http_port=self.endpoint.http_port or None,
            rmr=self.endpoint.rmr,
            meid=self.meid,
            instances=tuple(self.instances.items()),
            request_ongoing=self.ongoing,
            delete_ongoing=self.deleting,
            digests=self.digests,
            owner=self.owner,
        )
