# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.platform.config.values import number, one_of, text, truth, whole


@pytest.mark.parametrize(
    ("convert", "good", "bad"),
    [
        (whole(1, 9), [(1, 1), ("9", 9), (3.0, 3)], [0, 10, "x", True, 1.5, None, [], "", "1e0"]),
        (number(0.5, 9), [(1, 1.0), ("2.5", 2.5)], [0, 10, "x", True, "nan", "inf", None, 10**400]),
        (truth, [(True, True), ("no", False), (1, True), ("TRUE", True)], [2, "x", None, [], 1.0]),
        (text, [("x", "x"), (5, "5")], [True, None, [], {}]),
        (one_of("a", "on"), [("A", "a"), (True, "on")], ["b", 1, False, None]),
    ],
)
def test_kinds(convert, good, bad):
    for value, want in good:
        assert convert(value) == want
    for value in bad:
        with pytest.raises(ValueError, match=r"\w"):
            convert(value)
