# SPDX-License-Identifier: Apache-2.0
"""An HTTP answer: its head has been read, its body is read on demand."""

from submgr.platform.http.answer_head import read_head
from submgr.platform.http.buffered_socket import BufferedSocket, ChunkedBody, PeerClosed


class Answer:
    """The answer to a request of `method`, from `source`. Its constructor reads the head; it raises as `read_head`.

    `length`: the bytes of the body, None when they are not told. `complete`: the whole body has been read.
    """

    __slots__ = ("_chunks", "_left", "complete", "head", "length", "source")

    def __init__(self, source: BufferedSocket, method: str) -> None:
        self.source = source
        self.head = head = read_head(source)
        self.length = self._left = length = head.length if method != "HEAD" else 0
        self._chunks = ChunkedBody(source) if length is None and head.chunked else None
        self.complete = length == 0

    @property
    def will_close(self) -> bool:
        """Whether the peer closes after this answer, be it because nothing else tells the end of the body."""
        return not self.head.keeps_alive or (self.length is None and self._chunks is None)

    @property
    def reusable(self) -> bool:
        """Whether the connection can take another request: the body was read to its end and nothing came after it."""
        return self.complete and not self.source.pending and not self.will_close

    def allow(self, seconds: float) -> None:
        """Sets the deadline of what is still to be read, `seconds` from now."""
        self.source.allow(seconds)

    def read(self, most: int) -> bytes:
        """At most `most` bytes of the body, fewer only at its end or where it breaks off.

        Raises PeerClosed when not one byte comes before it breaks off, Malformed, TooLong, TimeoutError or OSError.
        """
        octets = bytearray()  # in place of a list of pieces, which would be many times as large when they are tiny
        try:
            while most > 0 and not self.complete:
                piece = self.some(most)
                most -= len(piece)
                octets += piece
        except PeerClosed:
            if not octets:
                raise
        return bytes(octets)

    def at_once(self) -> bytes | None:
        """The whole body, when all of it has come already; else None, and nothing is read."""
        body = self.source.whole(self._left) if self._left is not None else None
        if body is not None:
            self._left, self.complete = 0, True
        return body

    def some(self, most: int) -> bytes:
        """The next piece of the body as it comes, of at most `most` bytes; nothing at its end. Raises as `read`."""
        if self._chunks is not None:
            piece = self._chunks.some(most)
            self.complete = self._chunks.complete
            return piece
        piece = self.source.some(most if self._left is None else min(most, self._left))
        if self._left is not None:
            if not piece:
                raise PeerClosed(f"closed with {self._left} bytes of the body missing")
            self._left -= len(piece)
            self.complete = self._left == 0
        else:
            self.complete = not piece
        return piece
