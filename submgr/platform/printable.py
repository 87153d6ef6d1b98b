# SPDX-License-Identifier: Apache-2.0
"""Makes characters visible that a terminal or a log viewer would obey: peers may have them in their names."""

import re

# C0 but the line end, which ends our lines, DEL and C1, line and paragraph separators, and what turns the direction of
# writing round: after it a line reads as another one
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")

IN_JSON = "\\u{:04x}"
IN_LABELS = "\\\\u{:04x}"
"""For the text format of Prometheus, where a backslash is written twice."""


def escaped(text: str, escape: str = IN_JSON) -> str:
    """`text` with an escape sequence for each such character: `escape` with its number."""
    return _OBEYED.sub(lambda found: escape.format(ord(found[0])), text)


def has_controls(text: str) -> bool:
    """Whether `text` has a control character (C0, DEL or C1), which no name has."""
    return _CONTROL.search(text) is not None
