# SPDX-License-Identifier: Apache-2.0
"""International mobile subscriber identities (3GPP TS 23.003, 2.2): digits as text, compared without leading zeros.

The test network 001/01 loses its leading zeros as soon as somebody writes an IMSI as a number, so that
"001010000000001" and 1010000000001 are the same subscriber.

An IMSI is personal data: `masked` is how logs show one.
"""

import re
from typing import Any

_DIGITS = re.compile(r"[0-9]{1,15}\Z")


def parse(value: Any) -> str:
    """The digits of an IMSI given as text or number. Raises ValueError in words that do not repeat it."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("an IMSI is a text or a number of at most 15 digits")
    try:
        text = str(value).strip()
    except ValueError:  # an integer of thousands of digits
        text = ""
    if not _DIGITS.match(text):
        raise ValueError("an IMSI has 1 to 15 digits and nothing else")
    if not text.strip("0"):
        raise ValueError("an IMSI is not zero")
    return text


def key(imsi: str) -> str:
    """The digits without leading zeros: all spellings of one IMSI have the same key."""
    return imsi.lstrip("0")


def same(one: str, other: str) -> bool:
    """Whether both are the same subscriber."""
    return key(one) == key(other)


def shown(imsi: str) -> int | str:
    """As a number, unless that would lose a leading zero."""
    return imsi if imsi.startswith("0") else int(imsi)


def masked(imsi: str) -> str:
    """The first five and the last two digits; of a short one only the first two."""
    if len(imsi) < 10:
        return imsi[:2] + "*" * (len(imsi) - 2)
    return f"{imsi[:5]}{'*' * (len(imsi) - 7)}{imsi[-2:]}"
