# SPDX-License-Identifier: Apache-2.0
"""The file that lists the MECs."""

from __future__ import annotations

import pytest

from mec.proxy.model import Mec
from mec.proxy.schemas import changed_mec_info, mec_info
from submgr.platform.config.file import ConfigError


def test_file() -> None:
    found = mec_info('{"mecs":[{"id":5,"managerAmsUrl":"http://a:8000/"},{"id":9,"managerAmsUrl":"http://b:8000"},]}')
    assert {mec.id: mec.url for mec in found.values()} == {5: "http://a:8000", 9: "http://b:8000"}


def test_all_mistakes() -> None:
    text = """{"mecs": [
      {"id": 5, "managerAmsUrl": "nonsense"},
      {"id": "x"},
      {"id": 5, "managerAmsUrl": "http://a:1"},
      3]}"""
    with pytest.raises(ConfigError) as refused:
        mec_info(text)
    found = [(problem.line, problem.path) for problem in refused.value.problems]
    assert found == [
        (2, "mecs[0].managerAmsUrl"),
        (3, "mecs[1].id"),
        (3, "mecs[1].managerAmsUrl"),
        (4, "mecs[2].id"),
        (5, "mecs[3]"),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mecs": 5}'])
def test_file_of_another_form(text: str) -> None:
    with pytest.raises(ConfigError):
        mec_info(text)


KNOWN = {5: Mec(5, "http://five"), 6: Mec(6, "http://six")}


def test_a_changed_list_is_taken_but_for_its_broken_entries() -> None:
    """The MEC of a broken entry stays as it was; one that is not listed any more goes."""
    text = """{"mecs": [
        {"id": 5, "managerAmsUrl": "not a url"},
        {"id": "x", "managerAmsUrl": "http://x"},
        7,
        {"id": 8, "managerAmsUrl": "http://eight"}
    ]}"""
    mecs, problems = changed_mec_info(text, KNOWN)
    assert mecs == {5: KNOWN[5], 8: Mec(8, "http://eight")}
    told = [(each.line, each.path) for each in problems]
    assert told == [(2, "mecs[0].managerAmsUrl"), (3, "mecs[1].id"), (4, "mecs[2]")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mecs": 1}', "{"])
def test_what_is_no_list_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        changed_mec_info(text, KNOWN)
