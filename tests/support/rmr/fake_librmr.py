# SPDX-License-Identifier: Apache-2.0
"""A stand-in for librmr_si.so that behaves like it, in plain Python on native threads.

It has the functions the binding declares, with librmr's habits: blocking sends, buffers that change
hands, a receive ring of 4095 behind an eventfd whose count may be one too high for good, no check of
any length, settings from the environment. Routes are given in `routes`, as librmr would have them from its own
control port.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import socket
import struct
import threading
import time
from typing import Any

from submgr.rmr.librmr.binding import Mbuf

OK, NOENDPT, RETRY = 0, 2, 10
_RING = 4095


class _Function:
    """A C function: takes restype and argtypes as attributes."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.restype: Any = None
        self.argtypes: Any = None

    def __call__(self, *arguments: Any) -> Any:
        assert self.argtypes is not None, "called without a prototype"
        assert len(arguments) == len(self.argtypes)
        return self._body(*arguments)


class FakeLibrmr:
    """See the module. `live` are the buffers that were not given back."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {}
        """What `setenv` has set; that of the real process is left alone."""
        self.routes: dict[int, str] = {}
        self.has_table = False
        self.stall: dict[str, float] = {}
        """Seconds that a send to an endpoint blocks."""
        self.retries = 0
        """So many sends answer RETRY first."""
        self.live: dict[int, tuple[Mbuf, Any]] = {}
        self.fd = -1
        self._name = b""
        self._ring: queue.Queue[Any] = queue.Queue(_RING)
        self._lock = threading.Lock()
        self._links: dict[str, socket.socket] = {}
        self._sockets: list[socket.socket] = []
        self._holes: list[str] = []
        self._from: dict[int, socket.socket] = {}
        for body in (
            self.rmr_init, self.rmr_ready, self.rmr_close, self.rmr_get_rcvfd, self.rmr_set_low_latency,
            self.rmr_alloc_msg, self.rmr_realloc_payload, self.rmr_payload_size, self.rmr_free_msg,
            self.rmr_send_msg, self.rmr_rts_msg, self.rmr_torcv_msg, self.rmr_wh_open, self.rmr_wh_send_msg,
            self.setenv,
        ):  # fmt: skip
            setattr(self, body.__name__, _Function(body))

    def shut(self) -> None:
        """Ends the threads, which the real library never does."""
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        if self.fd >= 0:
            os.close(self.fd)

    def count_one_too_many(self) -> None:
        """The count stays above zero though nothing waits."""
        os.eventfd_write(self.fd, 1)

    def setenv(self, name: bytes, value: bytes, overwrite: int) -> int:
        assert overwrite
        self.environment[name.decode()] = value.decode()
        return 0

    def rmr_init(self, port: bytes, size: int, flags: int) -> int:
        host = self.environment.get("RMR_SRC_ID") or socket.gethostname().partition(".")[0]
        self._name = f"{host}:{int(port)}".encode()
        self._size = size
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", int(port)))
        listener.listen(16)
        self._sockets.append(listener)
        self.fd = os.eventfd(0, os.EFD_SEMAPHORE | os.EFD_NONBLOCK)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return 1

    def rmr_ready(self, context: int) -> int:
        return int(self.has_table)

    def rmr_close(self, context: int) -> None:
        pass

    def rmr_get_rcvfd(self, context: int) -> int:
        return self.fd

    def rmr_set_low_latency(self, context: int) -> None:
        pass

    def rmr_alloc_msg(self, context: int, size: int) -> Any:
        total = 334 + max(size, self._size)
        raw = ctypes.create_string_buffer(total)
        struct.pack_into("<I", raw, 0, total)
        struct.pack_into(">iii", raw, 50, -1, 0, 3)
        struct.pack_into(">64s", raw, 126, self._name)
        struct.pack_into(">iiiii", raw, 246, 280, 0, 4, 0, -1)
        return self._mbuf(raw, total, OK, 0)

    def rmr_payload_size(self, buffer: Any) -> int:
        mbuf = buffer.contents
        return int(mbuf.alloc_len) - 50 - sum(struct.unpack(">iiii", ctypes.string_at(mbuf.header + 196, 16)))

    def rmr_realloc_payload(self, buffer: Any, size: int, copy: int, clone: int) -> Any:
        mbuf = buffer.contents
        head = 50 + sum(struct.unpack(">iiii", ctypes.string_at(mbuf.header + 196, 16)))
        raw = ctypes.create_string_buffer(head + size)
        ctypes.memmove(raw, mbuf.tp_buf, head)
        self._point(mbuf, raw, head + size)
        self.live[ctypes.addressof(mbuf)] = (mbuf, raw)
        return buffer

    def rmr_free_msg(self, buffer: Any) -> None:
        del self.live[ctypes.addressof(buffer.contents)]

    def rmr_send_msg(self, context: int, buffer: Any) -> Any:
        return self._send(buffer, self.routes.get(buffer.contents.mtype))

    def rmr_rts_msg(self, context: int, buffer: Any) -> Any:
        mbuf = buffer.contents
        to = ctypes.string_at(mbuf.header + 76, 64).split(b"\0")[0].decode()
        inbound = self._from.get(ctypes.addressof(mbuf))
        ctypes.memmove(mbuf.header + 76, self._name.ljust(64, b"\0"), 64)
        flags = struct.unpack("<I", ctypes.string_at(mbuf.header + 192, 4))[0] & ~4
        ctypes.memmove(mbuf.header + 192, struct.pack("<I", flags), 4)
        return self._send(buffer, to, inbound)

    def rmr_torcv_msg(self, context: int, old: Any, wait: int) -> Any:
        assert wait == 0, "a wait would stop the hub"
        try:
            raw, total, link = self._ring.get_nowait()
        except queue.Empty:
            return None
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)
        plen = struct.unpack_from(">i", raw, 54)[0]
        buffer = self._mbuf(raw, total, OK, plen)
        self._from[ctypes.addressof(buffer.contents)] = link
        return buffer

    def rmr_wh_open(self, context: int, target: bytes) -> int:
        if self._link(target.decode()) is None:
            return -1
        self._holes.append(target.decode())
        return len(self._holes) - 1

    def rmr_wh_send_msg(self, context: int, hole: int, buffer: Any) -> Any:
        return self._send(buffer, self._holes[hole])

    def _mbuf(self, raw: Any, total: int, state: int, length: int) -> Any:
        mbuf = Mbuf(state=state, len=length)
        self._point(mbuf, raw, total)
        mbuf.mtype, mbuf.sub_id = (struct.unpack_from(">i", raw, at)[0] for at in (50, 262))
        self.live[ctypes.addressof(mbuf)] = (mbuf, raw)
        return ctypes.pointer(mbuf)

    def _point(self, mbuf: Mbuf, raw: Any, total: int) -> None:
        mbuf.tp_buf = ctypes.addressof(raw)
        mbuf.header = mbuf.tp_buf + 50
        mbuf.xaction = mbuf.header + 12
        mbuf.payload = mbuf.tp_buf + 50 + sum(struct.unpack_from(">iiii", raw, 246))
        mbuf.alloc_len = total

    def _send(self, buffer: Any, to: str | None, inbound: socket.socket | None = None) -> Any:
        mbuf = buffer.contents
        if self.retries:
            self.retries -= 1
            mbuf.state, mbuf.tp_state = RETRY, 11
            return buffer
        link = (self._link(to) if to else None) or inbound
        if link is None:
            mbuf.state, mbuf.tp_state = NOENDPT, 6
            return buffer
        total = mbuf.payload - mbuf.tp_buf + mbuf.len
        raw = bytearray(ctypes.string_at(mbuf.tp_buf, total))
        struct.pack_into("<I", raw, 0, total)
        struct.pack_into(">I1s", raw, 4, total, b"$")
        struct.pack_into(">ii", raw, 50, mbuf.mtype, mbuf.len)
        struct.pack_into(">i", raw, 262, mbuf.sub_id)
        link.sendall(raw)
        mbuf.state = OK
        return buffer

    def _link(self, to: str) -> socket.socket | None:
        time.sleep(self.stall.get(to, 0.0))
        with self._lock:
            if to not in self._links:
                host, _, port = to.rpartition(":")
                try:
                    link = socket.create_connection((host, int(port)), 1.0)
                except (OSError, ValueError):
                    return None
                link.settimeout(None)
                self._links[to] = link
                self._sockets.append(link)
                threading.Thread(target=self._receive, args=(link, to), daemon=True).start()
            return self._links[to]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            self._sockets.append(link)
            threading.Thread(target=self._receive, args=(link, ""), daemon=True).start()

    def _receive(self, link: socket.socket, name: str) -> None:
        data = b""
        while True:
            while len(data) >= 4 and 0 < (total := struct.unpack_from("<i", data)[0]) <= len(data):
                raw = ctypes.create_string_buffer(data[:total], max(total, self._size + 1024))
                data = data[total:]
                if not self._ring.full():
                    self._ring.put((raw, len(raw), link))
                    os.eventfd_write(self.fd, 1)
            try:
                more = link.recv(8192)
            except OSError:
                more = b""
            if not more:
                with self._lock:
                    self._links.pop(name, None)
                return
            data += more
