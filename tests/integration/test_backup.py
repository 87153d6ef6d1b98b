# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl` and a daemon: backup of a running one, and back into an empty one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gevent
import pytest
from redis import Redis
from support.processes.daemon import Daemon, Neighbourhood, detail
from support.processes.redis_server import MISSING, REDIS_SERVER, RedisServer
from support.waiting import eventually

pytestmark = [pytest.mark.redis, pytest.mark.skipif(REDIS_SERVER is None, reason=MISSING)]


def ctl(daemon: Daemon, *arguments: str, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Runs `submgr ctl` as a process while the simulators of this process go on."""
    command = [sys.executable, "-m", "submgr", "ctl", "--server", f"127.0.0.1:{daemon.platform_port}", *arguments]
    run = gevent.get_hub().threadpool.spawn(subprocess.run, command, input=data, capture_output=True, timeout=60)
    return run.get()  # type: ignore[no-any-return]


def raw(redis: RedisServer) -> dict[bytes, Any]:
    with Redis(redis.host, redis.port) as client:
        keys = [key for name in ("e2Subs", "restSubs") for key in client.keys(f"{{submgr_{name}Db}},*")]
        return {key: client.get(key) for key in keys}


def test_a_backup_of_a_running_daemon_comes_back_into_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "backup.jsonl.gz"
    with RedisServer() as redis, Neighbourhood(redis) as around:
        around.reset()
        assert around.rnib is not None
        for name, node in around.e2term.nodes.items():
            around.rnib.write(name, node.state)
        with Daemon(around) as daemon:
            kept = [daemon.subscribe(around.request("gnb_1", detail(1, [n]))) for n in range(10)]
            assert around.xapp.wait(10)
            eventually(lambda: len(raw(redis)) == 20)
            exported = ctl(daemon, "export", str(file))
            assert exported.returncode == 0, exported.stderr
            before = raw(redis)  # what nobody waits for is written a moment after the notifications
            in_use = ctl(daemon, "import", str(file))
            assert in_use.returncode == 1
            assert b"20 ids of the file are in use here" in in_use.stderr
            daemon.stop()
            with Redis(redis.host, redis.port) as client:
                client.delete(*client.keys("{submgr_*"))
            daemon.start()
            assert daemon.rests() == {}
            assert ctl(daemon, "import", "--dry-run", str(file)).returncode == 0
            assert raw(redis) == {}
            done = ctl(daemon, "import", "--no-wait", str(file))
            assert (done.returncode, done.stdout) == (0, b"10 e2_record: imported\n10 rest_record: imported\n"), done
            assert daemon.wait() == 1  # as after test/restart: whoever runs it starts it again
            assert raw(redis) == before
            daemon.start()
            assert sorted(daemon.rests()) == sorted(kept)
            assert len(around.holds()) == 10
            for subscription_id in kept:
                daemon.unsubscribe(subscription_id)
            eventually(around.empty)


def test_a_spoilt_file_and_a_daemon_that_is_away() -> None:
    with Neighbourhood() as around, Daemon(around) as daemon:
        lines = ctl(daemon, "export").stdout.splitlines()
        assert json.loads(lines[0])["format"] == "submgr-records"
        spoilt = ctl(daemon, "import", data=lines[0])
        assert spoilt.returncode == 1
        assert b"the file is not complete" in spoilt.stderr
        large = ctl(daemon, "import", data=b"\n".join([lines[0], os.urandom(1_500_000).hex().encode(), lines[-1]]))
        assert large.returncode == 1
        assert b"line 2: " in large.stderr, "more than other requests may have"
        assert ctl(daemon, "reconcile", "--dry-run").returncode == 0
        daemon.stop()
        away = ctl(daemon, "export")
        assert away.returncode == 3
        assert b"nobody answers at http://127.0.0.1:" in away.stderr
        assert b"Traceback" not in away.stderr
