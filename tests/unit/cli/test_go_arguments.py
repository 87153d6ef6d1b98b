# SPDX-License-Identifier: Apache-2.0
"""Command lines of deployments of the Go implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from submgr.cli.go_arguments import file_named, translated

FILE = "/cfg/submgr-config.yaml"
RUN = ["run", "-f", FILE]


@pytest.mark.parametrize("program", [[], ["submgr"], ["./submgr"], ["/submgr"], ["/opt/bin/submgr"]])
@pytest.mark.parametrize("flag", [["-f", FILE], ["--f", FILE], [f"-f={FILE}"], [f"--f={FILE}"]])
def test_every_spelling_of_the_only_flag_runs_the_daemon(program: list[str], flag: list[str]) -> None:
    assert translated([*program, *flag], {}) == RUN


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["-f", "old.yaml", "-f", FILE], RUN),
        (["-f", FILE, "anything", "-x"], RUN),
        (["-f", FILE, "--standalone"], [*RUN, "--standalone"]),
        (["--file", FILE], RUN),
        (["-f"], ["run", "-f"]),
        (["-f="], ["run", "-f", ""]),
        (["./submgr", "run", "--file", FILE], ["run", "--file", FILE]),
        (["./submgr", "rmr", "probe", "submgr"], ["rmr", "probe", "submgr"]),
        (["--free-ports", "-f", FILE], ["--free-ports", "-f", FILE]),
        (["sim", "submgr"], ["sim", "submgr"]),
    ],
)
def test_what_else_stands_there(given: list[str], meant: list[str]) -> None:
    assert translated(given, {}) == meant


@pytest.mark.parametrize("given", [[], ["./submgr"]])
def test_without_arguments_the_environment_names_the_file(given: list[str]) -> None:
    assert translated(given, {"CFG_FILE": FILE}) == ["run"]
    assert translated(given, {}) == []


def test_a_variable_that_no_shell_has_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFG_FILE", FILE)
    monkeypatch.delenv("NOT_SET", raising=False)
    assert [file_named(path) for path in ("${CFG_FILE}", "$CFG_FILE", FILE, "")] == [FILE, FILE, FILE, ""]
    assert file_named("${NOT_SET}") == "${NOT_SET}"
    odd = tmp_path / "${CFG_FILE}"
    odd.write_text("")
    assert file_named(str(odd)) == str(odd)
