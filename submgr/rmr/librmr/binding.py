# SPDX-License-Identifier: Apache-2.0
"""The few functions of librmr_si.so that the transport needs, with their types and with guards.

The library is loaded as ricxappframe loads it. The accessors of ricxappframe are not used: they parse a JSON text of
constants at each call, and they read past the received bytes. `setenv` is the C library's: librmr finds its settings
with getenv.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from submgr.rmr.framing import HEADER_SIZE, SMALLEST_FRAME, FramingError, decode
from submgr.rmr.message import XID_SIZE, Message, Status
from submgr.rmr.transport import TransportError

_MEID_FIELD, _MEID_AT = 32, 140
_SID_FIELD, _SID_AT = 32, 44
_FLAGS_AT = 192


class Mbuf(ctypes.Structure):
    """The message buffer of librmr, as far as `alloc_len`; rmr.h has more behind it."""

    _fields_ = (
        ("state", ctypes.c_int),
        ("mtype", ctypes.c_int),
        ("len", ctypes.c_int),
        ("payload", ctypes.c_void_p),
        ("xaction", ctypes.c_void_p),
        ("sub_id", ctypes.c_int),
        ("tp_state", ctypes.c_int),
        ("tp_buf", ctypes.c_void_p),
        ("header", ctypes.c_void_p),
        ("id", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("alloc_len", ctypes.c_int),
    )


_MBUF = ctypes.POINTER(Mbuf)
_CONTEXT = ctypes.c_void_p
PROTOTYPES: Mapping[str, tuple[Any, tuple[Any, ...]]] = MappingProxyType(
    {
        "rmr_init": (_CONTEXT, (ctypes.c_char_p, ctypes.c_int, ctypes.c_int)),
        "rmr_ready": (ctypes.c_int, (_CONTEXT,)),
        "rmr_close": (None, (_CONTEXT,)),
        "rmr_get_rcvfd": (ctypes.c_int, (_CONTEXT,)),
        "rmr_set_low_latency": (None, (_CONTEXT,)),
        "rmr_alloc_msg": (_MBUF, (_CONTEXT, ctypes.c_int)),
        "rmr_realloc_payload": (_MBUF, (_MBUF, ctypes.c_int, ctypes.c_int, ctypes.c_int)),
        "rmr_payload_size": (ctypes.c_int, (_MBUF,)),
        "rmr_free_msg": (None, (_MBUF,)),
        "rmr_send_msg": (_MBUF, (_CONTEXT, _MBUF)),
        "rmr_rts_msg": (_MBUF, (_CONTEXT, _MBUF)),
        "rmr_torcv_msg": (_MBUF, (_CONTEXT, _MBUF, ctypes.c_int)),
        "rmr_wh_open": (ctypes.c_int, (_CONTEXT, ctypes.c_char_p)),
        "rmr_wh_send_msg": (_MBUF, (_CONTEXT, ctypes.c_int, _MBUF)),
        "setenv": (ctypes.c_int, (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int)),
    }
)


def load_library(name: str = "librmr_si.so") -> Any:
    """The C library of that file name. Raises TransportError where it is not installed."""
    try:
        return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
    except OSError as bad:
        raise TransportError(
            f"the transport librmr needs librmr_si.so, which cannot be loaded ({bad}): install the package rmr "
            "of the O-RAN SC and see that the loader finds it (LD_LIBRARY_PATH), or use the transport wire"
        ) from bad


class Library:
    """One RMR context. Every method but `receive`, `ready` and `free` may block: call it on a native thread."""

    def __init__(self, functions: Any) -> None:
        """`functions` is the C library, or something with functions of the same names and behaviour."""
        self._c = functions
        self._context: Any = None
        for name, (result, arguments) in PROTOTYPES.items():
            function = getattr(functions, name)
            function.restype = result
            function.argtypes = arguments

    def open(self, port: int, size: int, variables: Mapping[str, str]) -> None:
        """Starts librmr on a port; `size` is its usual payload in bytes. Raises TransportError.

        `variables` (RMR_*) are set in the environment of the process before, since librmr reads its settings there.
        """
        for name, value in variables.items():
            self._c.setenv(name.encode(), value.encode(), 1)
        self._context = self._c.rmr_init(str(port).encode(), size, 0)
        if not self._context:
            raise TransportError(f"librmr cannot start on port {port}; it says why on standard error")
        self._c.rmr_set_low_latency(self._context)

    def close(self) -> None:
        """Tells librmr that no more is sent. Its port and threads stay until the process ends."""
        self._c.rmr_close(self._context)

    def ready(self) -> bool:
        """Whether librmr has a route table."""
        return bool(self._c.rmr_ready(self._context))

    def receive_fd(self) -> int:
        """A descriptor that is readable while messages wait. Raises TransportError."""
        fd = int(self._c.rmr_get_rcvfd(self._context))
        if fd < 0:
            raise TransportError("librmr has no descriptor for received messages")
        return fd

    def receive(self) -> Any:
        """The next message buffer, None when none waits. It has to be freed, or sent back and then freed."""
        buffer = self._c.rmr_torcv_msg(self._context, None, 0)
        return buffer or None

    def free(self, buffer: Any) -> None:
        """Gives a buffer back to librmr."""
        self._c.rmr_free_msg(buffer)

    def read(self, buffer: Any, max_frame: int, origin: object) -> Message:
        """The message in a received buffer. Raises FramingError where librmr hands out garbage.

        All lengths are checked against what really was received, which librmr does not do.
        """
        mbuf = buffer.contents
        if mbuf.state != Status.OK:
            raise FramingError("librmr_state", f"received with state {mbuf.state}")
        if not mbuf.tp_buf or mbuf.len < 0 or mbuf.alloc_len < SMALLEST_FRAME:
            raise FramingError("negative_length", f"payload of {mbuf.len} bytes in a buffer of {mbuf.alloc_len}")
        total = int.from_bytes(ctypes.string_at(mbuf.tp_buf, 4), "little")
        if total < SMALLEST_FRAME:
            raise FramingError("length_too_small", f"frame length {total}")
        if total > min(mbuf.alloc_len, max_frame):
            raise FramingError("length_too_large", f"frame length {total} in a buffer of {mbuf.alloc_len}")
        return decode(ctypes.string_at(mbuf.tp_buf, total), origin)

    def new(self, message: Message) -> Any:
        """A buffer with a message to be sent. Raises MemoryError when librmr has none."""
        buffer = self._c.rmr_alloc_msg(self._context, max(len(message.payload), 1))
        if not buffer:
            raise MemoryError("librmr has no message buffer")
        return self.fill(buffer, message)

    def fill(self, buffer: Any, message: Message) -> Any:
        """Writes a message into a buffer, which may become another one: use what is returned.

        d1 is written where the buffer has room for one of that length, as every buffer of librmr has for
        four bytes. Trace data stay as they are in the buffer.
        """
        size = len(message.payload)
        if self._c.rmr_payload_size(buffer) < size:
            buffer = self._c.rmr_realloc_payload(buffer, size, 0, 0)
            if not buffer:
                raise MemoryError(f"librmr has no message buffer of {size} bytes")
        mbuf = buffer.contents
        ctypes.memmove(mbuf.payload, message.payload, size)
        mbuf.len, mbuf.mtype, mbuf.sub_id = size, message.mtype, message.sub_id
        ctypes.memmove(mbuf.xaction, message.xid.ljust(XID_SIZE, b"\0"), XID_SIZE)
        header = mbuf.header
        ctypes.memmove(header + _MEID_AT, message.meid.encode().ljust(_MEID_FIELD, b"\0"), _MEID_FIELD)
        ctypes.memmove(header + _SID_AT, message.sid.ljust(_SID_FIELD, b"\0"), _SID_FIELD)
        ctypes.memmove(header + _FLAGS_AT, message.flags.to_bytes(4, "little"), 4)
        lengths = ctypes.string_at(header + _FLAGS_AT + 4, 12)
        trace, d1 = (int.from_bytes(lengths[at : at + 4], "big") for at in (4, 8))
        if d1 == len(message.d1):
            ctypes.memmove(header + HEADER_SIZE + trace, message.d1, d1)
        return buffer

    def send(self, buffer: Any) -> tuple[Any, Status, int]:
        """Sends by librmr's route table. Returns the buffer to go on with, the state and errno."""
        return self._outcome(self._c.rmr_send_msg(self._context, buffer))

    def return_to_sender(self, buffer: Any) -> tuple[Any, Status, int]:
        """Sends a received buffer back, filled anew. Returns as `send`."""
        return self._outcome(self._c.rmr_rts_msg(self._context, buffer))

    def open_wormhole(self, endpoint: str) -> int:
        """A way straight to "host:port", -1 when it cannot be connected to."""
        return int(self._c.rmr_wh_open(self._context, endpoint.encode()))

    def send_through(self, wormhole: int, buffer: Any) -> tuple[Any, Status, int]:
        """Sends through a wormhole. Returns as `send`."""
        return self._outcome(self._c.rmr_wh_send_msg(self._context, wormhole, buffer))

    def _outcome(self, buffer: Any) -> tuple[Any, Status, int]:
        if not buffer:
            return None, Status.SENDFAILED, 0
        mbuf = buffer.contents
        try:
            status = Status(mbuf.state)
        except ValueError:
            status = Status.SENDFAILED
        return buffer, status, mbuf.tp_state
