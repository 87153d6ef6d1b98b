# SPDX-License-Identifier: Apache-2.0
"""Cuts the text of route tables, which comes in pieces of any size, into lines."""

from __future__ import annotations

LONGEST_LINE = 1 << 18
"""Bytes. A longer line is no record."""
_SHOWN = 100
_NO_RECORD = b"\xff"


def lines_of(text: str) -> list[str]:
    """Lines as librmr sees them: a lone carriage return ends one too, zero bytes mean nothing."""
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n").split("\n")


class Lines:
    """The unfinished line of a text that comes in pieces."""

    def __init__(self) -> None:
        self._begun: list[bytes] = []
        self._size = 0

    def take(self, data: bytes, more: bool) -> list[str]:
        """The lines that `data` completes. The end of the text, when no `more` comes, completes a line too.

        Of a line that is too long only the two ends are given, behind a mark that makes it no record.
        """
        at = (data.rfind(b"\n") + 1 or data.rfind(b"\r") + 1) if more else len(data)
        whole, rest = data[:at], data[at:]
        lines: list[str] = []
        if whole or not more:
            lines = lines_of(b"".join([*self._begun, whole]).decode(errors="replace"))
            self._begun, self._size = [], 0
        if rest and self._size <= LONGEST_LINE:
            self._begun.append(rest)
            self._size += len(rest)
            if self._size > LONGEST_LINE:
                self._begun = [_NO_RECORD + self._begun[0][:_SHOWN]]
        return lines
