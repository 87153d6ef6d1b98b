# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from pycrate_asn1dir.E2AP import E2AP_IEs

from submgr.e2ap import causes
from submgr.e2ap.messages import Cause


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause(1, 0), "ricRequest: ran-function-id-invalid"),
        (Cause(1, 1), "ricRequest: action-not-supported"),
        (Cause(1, 13), "ricRequest: unspecified"),
        (Cause(1, 16), "ricRequest: duplicate-ric-request-id"),
        (Cause(2, 2), "ricService: ric-resource-limit"),
        (Cause(3, 0), "e2Node: e2node-component-unknown"),
        (Cause(6, 2), "misc: om-intervention"),
        (Cause(1, 40), "ricRequest: 40"),
        (Cause(4, 2), "transport: 2"),
        (Cause(9, 0), "cause group 9: 0"),
        (Cause(0, 7), "cause group 0: 7"),
        (Cause(2, 0, release=1), "ricService: function-not-required"),
        (Cause(3, 1, release=1), "transport: transport-resource-unavailable"),
        (Cause(5, 3, release=1), "misc: unspecified"),
        (Cause(6, 0, release=1), "cause group 6: 0"),
    ],
)
def test_in_words(cause: Cause, words: str) -> None:
    assert causes.describe(cause) == words


def test_names_are_those_of_the_asn1() -> None:
    choice = E2AP_IEs.Cause
    assert [name for name, _, _ in causes.GROUPS.values()] == list(choice._root)
    for name, root, extension in causes.GROUPS.values():
        enumerated = choice._cont[name]
        assert (list(root), list(extension)) == (enumerated._root, enumerated._ext)


def test_by_name_is_the_way_back() -> None:
    for group, (name, root, extension) in causes.GROUPS.items():
        for number, value in enumerate(root + extension):
            assert causes.by_name(name, value) == Cause(group, number)
    for group, value in (("nobody", "unspecified"), ("misc", "nothing")):
        with pytest.raises(ValueError):
            causes.by_name(group, value)
