# SPDX-License-Identifier: Apache-2.0
"""A private redis-server on a free port of the loopback, that can be stopped, hung and started again."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from types import TracebackType

from support.ports import free_port
from support.processes.children import START, spawn

REDIS_SERVER = shutil.which("redis-server")
MISSING = "redis-server is not on PATH: apt-get install redis-server"


class RedisServer:
    """`with RedisServer() as server:` runs one until the end of the block.

    The port stays the same over restarts. With `durable` every write is in the append-only file before it
    is answered, so that `kill()` and `start()` lose nothing; else a restarted server is empty. Further
    redis-server options are given as strings: `RedisServer("--maxmemory", "1mb")`; `config` is the path of
    a configuration file.
    """

    def __init__(self, *options: str, durable: bool = False, config: str | None = None) -> None:
        self._options = list(options)
        self._config = [config] if config else []
        if durable:
            self._options += ["--appendonly", "yes", "--appendfsync", "always"]
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.host = "127.0.0.1"
        self.port = 0

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which SDL finds this server."""
        return {"DBAAS_SERVICE_HOST": self.host, "DBAAS_SERVICE_PORT": str(self.reserve())}

    def reserve(self) -> int:
        """The port it is going to listen on, also before it was started."""
        if not self.port:
            self.port = free_port()
        return self.port

    def start(self) -> None:
        """Returns when it answers."""
        if REDIS_SERVER is None:
            raise RuntimeError(MISSING)
        if self._directory is None:
            self._directory = tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True)
        command = [REDIS_SERVER, *self._config, "--port", str(self.reserve()), "--bind", self.host]
        command += ["--save", "", "--dir", self._directory.name, *self._options]
        self._process = spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"redis-server did not start: {' '.join(command)}")
            time.sleep(0.01)

    def stop(self) -> None:
        """SIGTERM; its data remains when it is durable."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def suspend(self) -> None:
        """SIGSTOP: it hangs, while the kernel goes on accepting connections and data for it."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill it and remove its directory."""
        self.kill()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def lose_directory(self) -> None:
        """Removes its directory, so that it cannot save anything any more."""
        assert self._directory is not None
        shutil.rmtree(self._directory.name)

    def command(self, *words: str | bytes) -> bytes:
        """Send one command on a connection of its own; the answer as it comes over the wire.

        Raises RuntimeError for an error answer, OSError when there is none within 5 s.
        """
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        request = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        with socket.create_connection((self.host, self.port), timeout=5) as sock:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        if answer.startswith(b"-"):
            raise RuntimeError(answer.decode().strip())
        return answer

    def get(self, namespace: str, key: str) -> bytes | None:
        """The value that SDL keeps under this key."""
        answer = self.command("GET", f"{{{namespace}}},{key}")
        return None if answer == b"$-1\r\n" else answer.split(b"\r\n", 1)[1][:-2]

    def _answers(self) -> bool:
        try:
            return self.command("PING") == b"+PONG\r\n"
        except (OSError, RuntimeError):
            return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "redis-server is not running"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=10)
        self._process = None
