# SPDX-License-Identifier: Apache-2.0
"""The proxy between MECs: asks one MEC for a state or a user, tells a notification to all others."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Literal
from urllib.parse import urlencode

import gevent

from mec.common.peer_client import MAX_HOPS, NoAnswer, PeerClient, hops
from mec.proxy.model import Mec, Unreached
from mec.proxy.schemas import changed_mec_info
from submgr.platform.config.file import ConfigError
from submgr.platform.http.client import HttpStream
from submgr.platform.http.errors import HttpError

log = logging.getLogger(__name__)


class UnknownMec(Exception):
    """There is no MEC with this number."""


class PeerError(Exception):
    """A MEC gave no answer, or a wrong one. The message says why."""


class PeerLacks(Exception):
    """A MEC has no such state or user."""


class Circle(Exception):
    """The request has been passed on so often that it goes in a circle."""


class Proxy:
    """Passes requests on between the MECs of a file."""

    def __init__(self, mecs: Mapping[int, Mec], peers: PeerClient) -> None:
        self.counts: Counter[str] = Counter()
        self._mecs = mecs
        self._peers = peers

    def __len__(self) -> int:
        return len(self._mecs)

    def reload(self, text: str) -> None:
        """Takes a new content of the file. An entry with a mistake is logged and left out; a text that is no list of
        MECs is logged and changes nothing."""
        try:
            self._mecs, problems = changed_mec_info(text, self._mecs)
        except ConfigError as exc:
            self.counts["file refused"] += 1
            log.error("the list of MECs is refused, the old one stays", extra={"problems": [str(exc)]})
            return
        if problems:
            self.counts["entries left out"] += len(problems)
            told = [str(problem) for problem in problems]
            log.error("entries of the list of MECs left out", extra={"problems": told})
        log.info("the list of MECs has changed", extra={"mecs": sorted(self._mecs)})

    def notify(self, imsi: str, mec_id: int, app_id: str | None) -> tuple[list[int], list[Unreached]]:
        """Tells every MEC but `mec_id`, all at the same time. Returns the numbers of those reached, and the others."""
        self._check_hops()
        query = urlencode({"imsi": imsi, "mecId": mec_id, **({"appId": app_id} if app_id is not None else {})})
        others = [mec for mec in self._mecs.values() if mec.id != mec_id]
        greenlets = {mec.id: gevent.spawn(self._tell, mec, query, hops() + 1) for mec in others}
        gevent.joinall(list(greenlets.values()))
        # whoever has ended in another way than by an answer was not told
        told = [number for number, greenlet in greenlets.items() if greenlet.value is True]
        failures = [
            greenlet.value if isinstance(greenlet.value, Unreached) else Unreached(mec, "internal error")
            for mec in others
            if (greenlet := greenlets[mec.id]).value is not True
        ]
        self.counts["told"] += len(told)
        self.counts["not told"] += len(failures)
        return told, failures

    def state(self, imsi: str, mec_id: int, app_id: str) -> HttpStream:
        """The head of a MEC's answer with a state. Raises UnknownMec, PeerLacks, PeerError, Circle."""
        return self._ask("states", mec_id, f"/ams/get/state/?{urlencode({'appId': app_id, 'imsi': imsi})}")

    def user_data(self, imsi: str, mec_id: int) -> HttpStream:
        """The head of a MEC's answer with a user's data. Raises as `state` does."""
        return self._ask("user data", mec_id, f"/manager/user/data/?{urlencode({'imsi': imsi})}")

    def body(self, stream: HttpStream) -> Iterator[bytes]:
        """The body of an answer, piece by piece. It raises HttpError when the MEC breaks off."""
        with closing(stream):
            try:
                yield from stream.chunks(self._peers.seconds)
            except HttpError:
                self.counts["broken off"] += 1
                raise

    def _ask(self, what: str, mec_id: int, path: str) -> HttpStream:
        self._check_hops()
        mec = self._mecs.get(mec_id)
        if mec is None:
            self.counts["unknown MEC"] += 1
            raise UnknownMec
        try:
            stream = self._peers.stream("GET", mec.url + path)
        except NoAnswer as exc:
            self.counts[f"{what} failed"] += 1
            raise PeerError(f"MEC {mec_id}: {exc}") from exc
        if 200 <= stream.status < 300:
            self.counts[what] += 1
            return stream
        stream.close()
        if stream.status == 404:
            self.counts[f"{what} missing"] += 1
            raise PeerLacks(f"MEC {mec_id} does not have it")
        self.counts[f"{what} failed"] += 1
        raise PeerError(f"MEC {mec_id} answers with {stream.status}")

    def _tell(self, mec: Mec, query: str, passed_on: int) -> Unreached | Literal[True]:
        try:
            answer = self._peers.request("GET", f"{mec.url}/ams/app/notification/?{query}", passed_on=passed_on)
        except NoAnswer as exc:
            return Unreached(mec, str(exc))
        return True if answer.ok else Unreached(mec, f"answers with {answer.status}")

    def _check_hops(self) -> None:
        if hops() >= MAX_HOPS:
            self.counts["circle"] += 1
            raise Circle
