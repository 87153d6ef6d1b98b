# SPDX-License-Identifier: Apache-2.0
"""Groups of commands: what is imported, what is listed, how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner, Result

from mec.cli import main as mec
from submgr.cli.main import main as submgr
from submgr.platform.commands import Program, Programs
from submgr.platform.version import version

GROUPS = {"submgr": submgr, "mec": mec}


def group(command: Callable[[], None]) -> Programs:
    made = Programs("group", programs={"one": Program(__name__, "one", "Does one thing.")})
    sys.modules[__name__].one = click.command()(command)  # type: ignore[attr-defined]
    return made


def end_of(command: Callable[[], None], **options: str) -> Result:
    return CliRunner().invoke(group(command), ["one"], **options)  # type: ignore[arg-type]


def raises(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        click.echo("begun")
        raise error

    return command


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_what_is_cut_off_ends_without_a_word(error: BaseException, status: int) -> None:
    end = end_of(raises(error))
    assert (end.exit_code, end.stdout, end.stderr) == (status, "begun\n", "")


def test_ctrl_c_at_a_question_is_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    def asks() -> None:
        monkeypatch.setattr("click.termui.visible_prompt_func", interrupted)
        click.confirm("Delete it?", abort=True)

    assert end_of(asks).exit_code == 130


def test_nobody_there_to_answer_a_question_is_a_refusal() -> None:
    end = end_of(lambda: click.confirm("Delete it?", abort=True) and None, input="")
    assert (end.exit_code, end.stderr) == (1, "Aborted!\n")


def test_other_errors_are_not_hidden() -> None:
    assert isinstance(end_of(raises(RuntimeError("bug"))).exception, RuntimeError)
    refused = end_of(raises(click.ClickException("no")))
    assert (refused.exit_code, refused.stderr) == (1, "Error: no\n")


def all_programs() -> list[tuple[str, Programs, str]]:
    found = []
    for name, outer in GROUPS.items():
        context = click.Context(outer)
        for program in outer.list_commands(context):
            found.append((f"{name} {program}", outer, program))
            inner = outer.get_command(context, program)
            if isinstance(inner, Programs):
                found += [(f"{name} {program} {each}", inner, each) for each in inner.list_commands(context)]
    return found


@pytest.mark.parametrize(("group", "name"), [pytest.param(*each[1:], id=each[0]) for each in all_programs()])
def test_each_command_that_is_listed_is_there(group: Programs, name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.name == name or name == "demo"
    assert command.help
    line = group.programs[name].help
    assert line[0].isupper()
    assert line.endswith(".")


def test_a_list_of_commands_imports_none_of_them() -> None:
    lazy = Programs("group", programs={"one": Program("no_such_module", "one", "Does one thing.")})
    shown = CliRunner().invoke(lazy, ["--help"])
    assert "one  Does one thing." in shown.stdout
    assert CliRunner().invoke(lazy, ["two"]).exit_code == 2


def test_a_shell_completes_names_with_their_lines() -> None:
    lazy = Programs("group", programs={"one": Program("no_such_module", "one", "Does one thing.")})
    complete = BashComplete(lazy, {}, "group", "_GROUP_COMPLETE")
    assert [(item.value, item.help) for item in complete.get_completions([], "o")] == [("one", "Does one thing.")]
    assert [item.value for item in complete.get_completions([], "--h")] == ["--help"]
    assert complete.get_completions([], "x") == []


@pytest.mark.parametrize("name", GROUPS)
def test_the_version_is_that_of_the_distribution(name: str) -> None:
    shown = CliRunner().invoke(GROUPS[name], ["--version"])
    assert (shown.exit_code, shown.stdout) == (0, f"{name} {version()}\n")
