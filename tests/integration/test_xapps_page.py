# SPDX-License-Identifier: Apache-2.0
"""docs/xapps.md, followed word by word: its programs are written, its commands run, and print what the page says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support.processes.children import spawn

from tools.followed_page import Follower, Step
from tools.xapps_page import PAGE, addresses, configuration, running, to_follow

TEXT = PAGE.read_text(encoding="utf-8")
NEEDS = {"C++": ("g++", "g++"), "Go": ("go", "golang-go")}
"""Programs that a section needs, with Debian's package."""


def sections() -> list[str]:
    return list(dict.fromkeys(step.section for step in to_follow(TEXT)))


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Follower]:
    directory = tmp_path_factory.mktemp("page")
    with (
        running(directory, configuration(TEXT), spawn) as (banner, pid),
        Follower(directory, addresses(TEXT, banner), {"PID": str(pid)}) as follower,
    ):
        yield follower


@pytest.mark.parametrize("section", sections())
def test_the_page_says_what_happens(follower: Follower, section: str) -> None:
    program, package = NEEDS.get(section, ("bash", "bash"))
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not there: apt-get install {package}")
    follower.begin()
    steps: list[Step] = [step for step in to_follow(TEXT) if step.section == section]
    for step in steps:
        printed = follower.follow(step)
        if step.command:
            difference = follower.differs(step, printed)
            assert not difference, difference


def test_the_page_has_each_kind_of_failure() -> None:
    """Each ErrorSource and each TimeoutType that a notification can have, but a database that is silent."""
    for source in ("SUBMGR", "RTMGR", "DBAAS", "ASN1", "E2Node"):
        assert f'"ErrorSource":"{source}"' in TEXT
    for timeout in ("E2-Timeout", "RTMGR-Timeout"):
        assert f'"TimeoutType":"{timeout}"' in TEXT
