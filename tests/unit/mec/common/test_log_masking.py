# SPDX-License-Identifier: Apache-2.0
"""No IMSI stands in a line of the log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.common.log_masking import IdentityMask, mask_text

IMSI = "001010123456789"


@pytest.mark.parametrize(
    "text",
    [f"GET /ues/{IMSI} HTTP/1.1", f"imsi={IMSI}", f'{{"imsi": {IMSI}}}', f"'imsi': '{IMSI}'", f"imsi%3D{IMSI}", IMSI,
     f"/app/state/?imsi={IMSI}&mecId=5"],
)  # fmt: skip
def test_imsi_in_any_text_is_masked(text: str) -> None:
    assert IMSI not in mask_text(text) and "00101********89" in mask_text(text)


def test_short_imsi_is_masked_where_it_is_named() -> None:
    assert mask_text("GET /manager/user/data/?imsi=1234567890 HTTP") == "GET /manager/user/data/?imsi=12345***90 HTTP"


@pytest.mark.parametrize("text", ["at 1795534546213 ms", "3.1415926535897932", "gnb_208_092_000001", "id 12345678"])
def test_other_numbers_stay(text: str) -> None:
    assert mask_text(text) == text


def record(level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("x", level, "f", 1, "request %s failed", (f"/ues/{IMSI}",), None)
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_log_records_are_masked_in_all_their_parts() -> None:
    made = record(imsi="1234567890", url=f"http://x/?imsi={IMSI}", number=int("310150123456789"), list=[IMSI], n=5)
    try:
        raise ValueError(f"imsi={IMSI}")
    except ValueError as exc:
        made.exc_info = (type(exc), exc, exc.__traceback__)
    assert IdentityMask().filter(made)
    text = logging.Formatter("%(message)s").format(made) + repr(vars(made))
    assert IMSI not in text and "1234567890" not in text and "310150123456789" not in text
    assert made.n == 5  # type: ignore[attr-defined]


def test_in_full_at_debug_level_only() -> None:
    debug, info = record(logging.DEBUG), record()
    for made in (debug, info):
        IdentityMask(in_full=True).filter(made)
    assert IMSI in debug.getMessage() and IMSI not in info.getMessage()


@given(st.text())
def test_masking_takes_any_text(text: str) -> None:
    mask_text(text)
