# SPDX-License-Identifier: Apache-2.0
"""Sees to it that identity providers get user data that the manager could not give when they were told of a UE."""

from collections import OrderedDict
from collections.abc import Callable

import gevent

from mec.controller.manager_client import PAUSE, ManagerClient, Unanswered
from mec.controller.model import Identity
from submgr.platform.supervised import SupervisedLoop


class LateUserData:
    """Asks the manager again for the UEs that were told without their data, until it answers.

    `tell` is called with the key of a UE, its identities and its data as JSON. Of more than `places` UEs the newest
    are kept.
    """

    def __init__(
        self, manager: ManagerClient, tell: Callable[[str, tuple[Identity, ...], bytes], None], places: int
    ) -> None:
        self._manager = manager
        self._tell = tell
        self._places = places
        self._missing: OrderedDict[str, dict[str, Identity]] = OrderedDict()
        self._loop = SupervisedLoop("user data of UEs", self._ask)

    def add(self, key: str, identity: Identity) -> None:
        """An identity has been told without the user's data, because the manager did not answer."""
        self._missing.setdefault(key, {})[identity.address] = identity
        if len(self._missing) > self._places:
            self._missing.popitem(last=False)
        self._loop.start()

    def forget(self, key: str, addresses: set[str]) -> None:
        """Something newer is told of these addresses of a UE."""
        identities = self._missing.get(key, {})
        for address in addresses & identities.keys():
            del identities[address]
        if not identities:
            self._missing.pop(key, None)

    def stop(self) -> None:
        """Asks no more."""
        self._loop.stop()

    def _ask(self) -> bool:
        """Returns whether there is more to ask for."""
        gevent.sleep(PAUSE)
        for key in list(self._missing):
            identities = tuple(self._missing.get(key, {}).values())
            if not identities:
                continue
            try:
                data = self._manager.user_data(identities[0].imsi)
            except Unanswered:
                break
            current = tuple(self._missing.pop(key, {}).values())
            if data is not None and current:
                self._tell(key, current, data)
        return bool(self._missing)
