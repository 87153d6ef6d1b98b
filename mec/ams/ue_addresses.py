# SPDX-License-Identifier: Apache-2.0
"""The IP addresses of a UE, asked of the controller of this MEC."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from mec.common import imsi as imsis
from mec.common.peer_client import NoAnswer, PeerClient
from submgr.platform.http.json_body import NotJson, read_json_as

_FRESH = 1.0
"""Seconds for which an answer is used again; several notifications about one UE come together."""
_PAUSE = 5.0
"""Seconds for which a controller that did not answer is not asked."""
_MAX_KNOWN = 1000
_MAX_ANSWER = 64 * 1024


class _Ue(msgspec.Struct):
    ip: list[str] = []


_UE = msgspec.json.Decoder(_Ue)


class UeAddresses:
    """Asks the controller at `url`. A UE has no address while the controller does not answer."""

    def __init__(self, url: str, peers: PeerClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._peers = peers
        self._clock = clock
        self._known: OrderedDict[str, tuple[list[str], float]] = OrderedDict()
        self._silent_until = 0.0

    def addresses_of(self, imsi: str) -> list[str]:
        """The IP addresses of a UE."""
        key = imsis.key(imsi)
        addresses, until = self._known.get(key, ([], 0.0))
        if until > self._clock() or self._silent_until > self._clock():
            return addresses
        try:
            answer = self._peers.request("GET", f"{self._url}/ues/{imsi}", limit=_MAX_ANSWER)
            given = read_json_as(_UE, answer.body).ip if answer.ok else []
        except (NoAnswer, NotJson):
            self._silent_until = self._clock() + _PAUSE
            return addresses
        addresses = [address for address in given if _is_address(address)]
        self._known[key] = (addresses, self._clock() + _FRESH)
        self._known.move_to_end(key)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return addresses


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
