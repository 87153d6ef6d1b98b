# SPDX-License-Identifier: Apache-2.0
import logging

from submgr.platform.sparse_log import Sparsely


def test_sparsely_logs_the_first_and_then_counts(caplog):
    now = [0.0]
    sparsely = Sparsely(logging.getLogger("flood"), interval=60, max_kinds=2, clock=lambda: now[0])
    for _ in range(5):
        sparsely.log(logging.WARNING, "a", "unknown answer", meid="x")
    sparsely.log(logging.WARNING, "b", "other")
    now[0] = 61
    sparsely.log(logging.WARNING, "a", "unknown answer", meid="y")
    assert [(r.message, getattr(r, "meid", None), getattr(r, "times", None)) for r in caplog.records] == [
        ("unknown answer", "x", None), ("other", None, None), ("unknown answer", "y", 5)
    ]  # fmt: skip
    sparsely.log(logging.WARNING, "c", "third kind forgets the oldest")
    sparsely.log(logging.WARNING, "b", "other")
    assert caplog.records[-1].message == "other"
