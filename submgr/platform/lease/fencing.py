# SPDX-License-Identifier: Apache-2.0
"""Takes the records for the process that has just taken the lease: whoever had them before writes no more."""

from __future__ import annotations

import logging

import gevent

from submgr.platform.lease.leadership import Leadership
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import Store, StoreError, StoreFenced

log = logging.getLogger(__name__)

_AGAIN = 0.1
"""Seconds between two tries."""


def take_records(store: Store, leadership: Leadership, epoch: int) -> bool:
    """Tries until the records are taken with the epoch of the lease. False when the lease was lost meanwhile."""
    outage = Outage(log)
    while leadership.epoch == epoch:
        try:
            store.fence(epoch)
        except StoreFenced:
            leadership.give_up("another process has taken the records")
        except StoreError as error:
            outage.goes_on(f"the records cannot be taken: {error}")
            gevent.sleep(_AGAIN)
        else:
            outage.over("the records are taken")
            return True
    return False
