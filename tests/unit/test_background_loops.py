# SPDX-License-Identifier: Apache-2.0
"""What runs in the background for as long as the process does is a supervised loop: it cannot die for ever."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SPAWNS = re.compile(r"\bspawn(?:_raw|_later)?\(|= gevent\.spawn|\bGreenlet\(|\bStreamServer\(")

ENDS_BY_ITSELF = {
    "submgr/platform/supervised.py": (1, "the supervision itself"),
    "submgr/platform/fair.py": (1, "lets in those who wait just now; the next to wait begins another"),
    "submgr/platform/native_threads.py": (1, "a call in a native thread; what it raises is raised in the caller"),
    "submgr/platform/names.py": (1, "a look-up; whoever waits for it is told that it failed"),
    "submgr/platform/progress.py": (1, "how long it has taken; ends with what it tells of"),
    "submgr/platform/crew.py": (1, "does tasks, and goes on after a bug in one"),
    "submgr/platform/outbox.py": (1, "the pause before the next try"),
    "submgr/platform/store/writer.py": (1, "an outcome that is told"),
    "submgr/platform/http/server.py": (1, "the next accept, which the listener tries again by itself"),
    "submgr/adapters/held_requests.py": (1, "a timer"),
    "submgr/adapters/xapp_names.py": (1, "a look-up"),
    "submgr/overview/rows.py": (1, "a timer"),
    "submgr/daemon.py": (1, "the restoration at the start; a bug ends the process"),
    "submgr/standby.py": (1, "a take-over; a bug ends the process"),
    "submgr/runtime/dispatcher.py": (1, "the fresh start of a worker; a bug ends the process"),
    "submgr/runtime/worker.py": (1, "a worker, which the dispatcher starts anew"),
    "submgr/rmr/manager_port.py": (1, "a table that is freed"),
    "submgr/rmr/wire/transport.py": (2, "one connection"),
    "submgr/rmr/wire/connection.py": (1, "the answers of one connection, closed with it"),
    "mec/ams/service.py": (1, "a fetch; whoever waits for it is told that it failed"),
    "mec/common/replica.py": (1, "a take-over; a bug ends the process"),
    "mec/controller/listener.py": (1, "one connection"),
    "mec/demo.py": (1, "a use of the demo"),
    "mec/meo/api.py": (1, "a round that somebody asked for"),
    "mec/meo/drivers/kubernetes.py": (1, "the client is loaded; a failure shows at the first use"),
    "mec/meo/notifications.py": (1, "an outcome that is stored"),
    "mec/meo/qkd.py": (1, "a poll of one platform"),
    "mec/proxy/service.py": (1, "a notification of one MEC; anything but its answer counts as not told"),
}
"""How many greenlets a file begins that are no supervised loops, and why they need not be."""
NOT_THE_PRODUCT = (
    "submgr/bench/",
    "submgr/simulators/",
    "submgr/rmr/tools/",
    "mec/bench.py",
    "mec/bench_replicas.py",
    "mec/meo/bench.py",
)


def test_no_greenlet_is_begun_elsewhere() -> None:
    spawning = Counter(
        str(path.relative_to(ROOT))
        for package in ("submgr", "mec")
        for path in sorted((ROOT / package).rglob("*.py"))
        for _ in SPAWNS.findall(path.read_text())
    )
    spawning = Counter({name: n for name, n in spawning.items() if not name.startswith(NOT_THE_PRODUCT)})
    assert spawning == {name: places for name, (places, _) in ENDS_BY_ITSELF.items()}
