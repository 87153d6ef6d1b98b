# SPDX-License-Identifier: Apache-2.0
"""The audit: a line at WARNING, under a logger of its own, for everything that somebody has changed.

What HTTP applications are asked to change is audited by `submgr.platform.http.changes`.
"""

import logging
from typing import Any

from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

_refused = Sparsely(log)


def changed(what: str, *, peer: str, outcome: str, **more: Any) -> None:
    """`peer` has changed something, e.g. the configuration."""
    log.warning("%s", what, extra={"peer": peer, "outcome": outcome, **more})


def refused(what: str, *, peer: str, outcome: str, kind: str, **more: Any) -> None:
    """`peer` was kept from changing something. One line a minute for each peer and `kind` tells how often."""
    _refused.log(logging.WARNING, f"{peer} {kind}", what, peer=peer, outcome=outcome, **more)
