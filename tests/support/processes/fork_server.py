# SPDX-License-Identifier: Apache-2.0
"""A process that has imported a program and forks one that runs it each time it is told to, see `forked`.

It is a script, so that nothing of the tests is on the path of the programs. It has no event loop and no thread, and
closes all descriptors it has, so that a forked process begins as one that was just started.

    fork_server.py DESCRIPTOR PACKAGE MODULE...
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from gevent._hub_local import get_hub_if_exists
from gevent.monkey import get_original

PR_SET_PDEATHSIG = 1
POLLIN = 1


def serve(requests: socket.socket) -> bool:
    """Forks for each message. All that waits here is Python's own: gevent would have made an event loop.

    A message is a JSON object of `arguments`, `environment` and `directory`, and comes with three descriptors: standard
    output, standard error, and where the exit status goes. The answer is the process id.

    Returns:
        At once in each forked process: true, it is to run the program. In this one at the end of the messages: false.
    """
    libc, server = ctypes.CDLL(None), os.getpid()
    running: dict[int, tuple[int, int]] = {}
    while True:
        waiting = get_original("select", "poll")()
        for descriptor in (requests.fileno(), *running):
            waiting.register(descriptor, POLLIN)
        ready = [descriptor for descriptor, _ in waiting.poll()]
        for descriptor in running.keys() & ready:
            pid, told = running.pop(descriptor)
            status = get_original("os", "waitpid")(pid, 0)[1]
            with contextlib.suppress(OSError):  # nobody waits for it any more
                os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(told)
            os.close(descriptor)
        if requests.fileno() not in ready:
            continue
        text, (out, err, told) = received(requests)
        if not text:
            return False
        pid = get_original("os", "fork")()
        if not pid:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != server:
                os._exit(1)
            begin(json.loads(text), out, err)
            return True
        os.close(out)
        os.close(err)
        running[os.pidfd_open(pid)] = pid, told
        os.write(requests.fileno(), str(pid).encode())


def received(requests: socket.socket) -> tuple[bytes, tuple[int, int, int]]:
    """A message, or nothing at the end of them."""
    text, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, 3)
    return text, tuple(descriptors) if text else (-1, -1, -1)  # type: ignore[return-value]


def begin(told: dict[str, Any], out: int, err: int) -> None:
    """Makes a forked process what `python -m PACKAGE ARGUMENTS` would be in that directory and environment."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(told["directory"])
    os.environ.clear()
    os.environ.update(told["environment"])
    time.tzset()
    sys.path[0] = told["directory"]
    sys.argv[:] = [program.__file__, *told["arguments"]]


if __name__ == "__main__":
    # the program's own first statements: they patch, and handle SIGTERM
    program = importlib.import_module(f"{sys.argv[2]}.__main__")
    for name in sys.argv[3:]:
        importlib.import_module(name)
    assert get_hub_if_exists() is None, "an import has made the event loop, which cannot be forked"
    connection = get_original("socket", "socket")(fileno=int(sys.argv[1]))
    if serve(connection):
        connection.detach()
        sys.exit(program.main())
    connection.close()
