# SPDX-License-Identifier: Apache-2.0
"""Options of `submgr bench subscribe`."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from submgr.bench.subscribe import subscribe


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "nowhere"), "'nowhere' is not HOST:PORT"),
        (("--target", "127.0.0.1:8088", "--store", "redis"), "--target and --store exclude each other"),
        (("--target", "127.0.0.1:8088", "--at-once", "2"), "--target and --at-once exclude each other"),
        (("--target", "127.0.0.1:8088", "--compare", "HEAD"), "--target and --compare exclude each other"),
        (("--target", "127.0.0.1:8088", "--syscalls"), "--syscalls of a target needs --target-pid"),
        (("--rtmgr-port", "1"), "--rtmgr-port means nothing without --target"),
        (("--rounds", "2"), "--rounds means nothing without --compare"),
        (("--compare", "HEAD", "--profile", "x"), "--compare and --profile exclude each other"),
        (("--profile", "x", "--nodes", "1", "--nodes", "2"), "--profile is of one daemon"),
    ],
)
def test_options_that_mean_nothing_together(arguments: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(subscribe, arguments)
    assert done.exit_code == 2 and words in done.stderr
