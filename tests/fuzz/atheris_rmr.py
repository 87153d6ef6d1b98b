# SPDX-License-Identifier: Apache-2.0
"""Coverage-guided fuzzing of what RMR takes from outside; needs `pip install atheris`.

    python tests/fuzz/atheris_rmr.py -max_total_time=60

The first byte of an input chooses the target: even = framer, odd = reader of route tables.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from submgr.rmr.framing import Framer
    from submgr.rmr.routing.reader import TableBuilder, parse_routes
    from submgr.rmr.routing.table import RouteTableError

_LARGEST = 4096


def check_framer(stream: bytes) -> None:
    """Whatever comes, in whatever pieces: the same messages, no exception, bounded memory."""
    whole, pieces = Framer(_LARGEST), Framer(_LARGEST)
    size = stream[0] + 1 if stream else 1
    got = whole.feed(stream)
    again = [message for at in range(0, len(stream), size) for message in pieces.feed(stream[at : at + size])]
    assert got == again
    assert (whole.error is None) == (pieces.error is None)
    assert whole.pending <= _LARGEST


def check_routes(stream: bytes) -> None:
    """A table or a refusal with its line; a table's own text reads as the same routes."""
    text = stream.decode(errors="replace")
    TableBuilder().feed(text)
    try:
        table = parse_routes(text)
    except RouteTableError as refused:
        assert refused.line >= 1
        return
    again = parse_routes(table.text())
    assert dict(again.meids) == dict(table.meids)
    assert again.routes.items() <= table.routes.items()


def one_input(data: bytes) -> None:
    """One input of the fuzzer."""
    (check_routes if data[:1] and data[0] % 2 else check_framer)(data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
