# SPDX-License-Identifier: Apache-2.0
"""What the two ways of answering xApps have in common: past Flask (`HotRoutes`) and through it (`xapp_app`)."""

from __future__ import annotations

import logging
import math
from functools import partial

from msgspec.structs import replace

from submgr.core.model import SubscribeRequest
from submgr.platform.http.plain_answers import PlainAnswer, plain_json_bytes
from submgr.platform.http.shared_answers import SharedAnswers
from submgr.platform.sparse_log import Sparsely
from submgr.rest.schemas import parse_subscribe
from submgr.rest.use_cases import Subscriptions, XappOptions
from submgr.rest.views import encode_e2_subscriptions

log = logging.getLogger(__name__)

SUBSCRIPTION_PATHS = (
    "/ric/v1/subscriptions",
    "/ric/v1/subscriptions/subscriptions",
    "/subscriptions",
    "/subscriptions/subscriptions",
)
"""Where the subscriptions are. The stock Python client POSTs to the address that it was given, and appends
`/subscriptions` for all other requests."""
SUBSCRIBE_PATHS = (*SUBSCRIPTION_PATHS, "/ric/v1", "/")
"""Where requests to subscribe are taken."""


class XappRequests:
    """Reads the requests of xApps and makes their lists. `owner` is everywhere the name in the client's certificate,
    None where that does not matter."""

    def __init__(self, subscriptions: Subscriptions, options: XappOptions) -> None:
        self.subscriptions = subscriptions
        self.options = options
        self._parse = partial(parse_subscribe, strict_octets=options.strict_octets, refusal=options.refusal)
        self._lists: SharedAnswers[bytes] = SharedAnswers()
        self._folding = Sparsely(log, interval=math.inf)

    def parsed(self, body: bytes, owner: str | None) -> SubscribeRequest:
        """The request to subscribe in a body. Raises RefusedError 400."""
        asked = self._parse(body)
        if asked.folded_octets:
            self.options.count_folded_octets(asked.folded_octets)
            self._tell_of_folded_octets(asked)
        return asked if owner is None else replace(asked, owner=owner)

    def listed(self, owner: str | None) -> PlainAnswer:
        """The list of subscriptions, as far as `owner` may see it."""
        return plain_json_bytes(self._lists.get(partial(self._encoded, owner), owner or ""))

    def _encoded(self, owner: str | None) -> bytes:
        only = partial(self.subscriptions.owns, owner) if owner is not None else None
        return encode_e2_subscriptions(self.subscriptions.listed(), self.options.show_ids, only)

    def _tell_of_folded_octets(self, asked: SubscribeRequest) -> None:
        """Logs it once for each xApp: it does so in all its requests."""
        self._folding.log(
            logging.WARNING,
            asked.endpoint.http,
            f"xApp {asked.endpoint.http} sends numbers that are no octets (0 to 255); the low octet of each is taken",
            octets=asked.folded_octets,
            meid=asked.meid,
        )
