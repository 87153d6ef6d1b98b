# SPDX-License-Identifier: Apache-2.0
"""The guard of `tests/unit/conftest.py` sees each way in which a unit test could sleep, and lets the product sleep."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SLEEPING = {
    "time": "import time\ndef test(): time.sleep(0.002)",
    "gevent": "import gevent\ndef test(): gevent.sleep(0.002)",
    "imported_by_name": "from time import sleep\ndef test(): sleep(0.002)",
    "in_a_greenlet": "import gevent\ndef test(): gevent.spawn(lambda: gevent.sleep(0.002)).join()",
    "as_a_greenlet": "import gevent\ndef test(): gevent.spawn(gevent.sleep, 0.002).join()",
    "in_a_helper": "from support.waiting import eventually\ndef test(): eventually(iter([0, 1]).__next__)",
}
QUICK = {
    "a_turn": "from submgr.platform.turns import turn\ndef test(): turn()",
    "nothing": "import gevent\ndef test(): gevent.sleep(0)",
    "the_product": "from submgr.platform import turns\ndef test(monkeypatch):\n"
    "    monkeypatch.setattr(turns, '_A_MOMENT', 0.002)\n    turns.turn()",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Which of these, as unit tests of a tree of their own, fail."""
    tests = tmp_path_factory.mktemp("own") / "tests"
    shutil.copytree(TESTS / "support", tests / "support")
    (tests / "unit").mkdir()
    shutil.copy(TESTS / "unit" / "conftest.py", tests / "unit")
    for name, text in {**SLEEPING, **QUICK}.items():
        (tests / "unit" / f"test_{name}.py").write_text(text + "\n")
    options = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "--import-mode=importlib", "-c", os.devnull, "-q"]
    path = os.pathsep.join((str(tests), str(TESTS.parent)))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tests), "unit"],
        cwd=tests, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    # a test that its teardown fails has passed before
    names = re.findall(r"^ERROR unit/test_(\w+)\.py::test - Failed: a unit test slept", done.stdout, re.MULTILINE)
    assert f"{len(SLEEPING) + len(QUICK)} passed, {len(SLEEPING)} errors" in done.stdout, done.stdout + done.stderr
    return set(names)


def test_all_that_sleep_and_no_others_fail(failed: set[str]) -> None:
    assert failed == SLEEPING.keys()
