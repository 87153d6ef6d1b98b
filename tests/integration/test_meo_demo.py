# SPDX-License-Identifier: Apache-2.0
"""What a newcomer sees of the orchestrator."""

from support.waiting import eventually

from mec.meo.demo import APPS, MOVES_SAID, NAMES, Demo
from submgr.platform.http.client import HttpClient


def test_contexts_come_move_and_are_shown() -> None:
    said: list[str] = []
    demo = Demo(said.append, pace=0.02, seed=3)
    demo.start()
    client = HttpClient()
    try:
        eventually(lambda: len(said) >= MOVES_SAID, 20)
        assert any(demo.url in line for line in demo.lines)
        page = client.request("GET", f"{demo.url}/").body.decode()
    finally:
        client.close()
        demo.stop()
    assert all(name in page for name in (*NAMES, *APPS))
    assert " moved from " in page
    assert said[-1].endswith(f"(more at {demo.url}/)")
    assert demo.url.startswith("http://127.0.0.1:")
