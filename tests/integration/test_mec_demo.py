# SPDX-License-Identifier: Apache-2.0
"""The demonstration shows what it says."""

from __future__ import annotations

from support.mec.processes import run
from support.waiting import eventually

from mec.demo import FOREIGN, HOME, start_demo


def test_counter_follows_the_ue_there_and_back() -> None:
    said: list[str] = []
    demo = start_demo(said.append)
    try:
        assert demo.count(HOME) == 8
        assert any(demo.command(FOREIGN) in line for line in demo.lines)
        program, *words = demo.command(FOREIGN).split()
        assert program.endswith("/mec")
        run(*words)
        eventually(lambda: demo.count(FOREIGN) == 9)
        demo.arrive(HOME)
        eventually(lambda: demo.count(HOME) == 10 and len(said) == 3)
    finally:
        demo.stop()
    assert ["MEC 5 (home)" in line for line in said] == [True, False, True]
    assert "001010000000001" not in "".join(said)
