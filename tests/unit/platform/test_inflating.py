# SPDX-License-Identifier: Apache-2.0
import gzip
import random
import zlib

import pytest

from submgr.platform.inflating import GZIP, PIECE, ZLIB, inflated

_PLAIN = random.Random(7).randbytes(3 * PIECE) + b"a" * 5 * PIECE


@pytest.mark.parametrize(("form", "pack"), [(ZLIB, zlib.compress), (GZIP, gzip.compress)], ids=["zlib", "gzip"])
def test_what_was_packed_comes_out_in_pieces(form, pack):
    pieces = list(inflated(pack(_PLAIN), form, len(_PLAIN)))
    assert b"".join(pieces) == _PLAIN
    assert max(map(len, pieces)) <= PIECE


def test_what_is_too_large_is_refused_before_it_is_unpacked():
    taken = []
    with pytest.raises(ValueError, match=f"more than {2 * PIECE} bytes"):
        taken.extend(inflated(zlib.compress(b"a" * 1000 * PIECE), ZLIB, 2 * PIECE))
    assert sum(map(len, taken)) <= 2 * PIECE


@pytest.mark.parametrize("kept", [0, 1, PIECE, -1])
def test_what_is_cut_off_is_refused(kept):
    with pytest.raises(ValueError, match="no end"):
        list(inflated(zlib.compress(_PLAIN)[:kept], ZLIB, len(_PLAIN)))


def test_another_form_is_refused():
    with pytest.raises(zlib.error):
        list(inflated(zlib.compress(_PLAIN), GZIP, len(_PLAIN)))
