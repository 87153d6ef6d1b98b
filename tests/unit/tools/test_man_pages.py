# SPDX-License-Identifier: Apache-2.0
"""Man pages are made of what the commands say of themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from submgr.cli.ctl.main import ctl
from submgr.cli.main import main
from tools.man_pages import commands, page, paragraphs_of


@click.command()
@click.option("--depth", type=int, default=3, help="How deep.")
@click.argument("file")
def dig(file: str, depth: int) -> None:
    """Dig in FILE.

    .net and 'quoted' begin lines; a back\\slash and a dash-stay.

    Exit status: 0 done;
    1 nothing there.
    """


def test_a_page_has_all_that_the_command_says() -> None:
    text = page(click.Context(dig, info_name="dig", parent=click.Context(main, info_name="submgr")))
    assert ".SH NAME\nsubmgr\\-dig \\- Dig in FILE\n" in text
    assert "\\fBsubmgr dig\\fP [OPTIONS] FILE\n" in text
    assert "\\&.net and 'quoted' begin lines; a back\\eslash and a dash\\-stay." in text
    assert ".SH OPTIONS\n.TP\n\\fB\\-\\-depth INTEGER\\fP\nHow deep.\n" in text
    assert ".SH EXIT STATUS\n0 done; 1 nothing there.\n" in text
    assert text.endswith(".SH SEE ALSO\n\\fBsubmgr\\fP(1)\n")
    assert text.count("Exit status") == 0


def test_every_command_has_a_page() -> None:
    context = click.Context(ctl, info_name="ctl", parent=click.Context(main, info_name="submgr"))
    paths = [each.command_path for each in commands(context)]
    assert paths == ["submgr ctl", *(f"submgr ctl {name}" for name in ctl.list_commands(context))]
    group = page(context)
    assert all(f"\\fBsubmgr\\-ctl\\-{name}\\fP(1)" in group for name in ctl.list_commands(context))
    assert "3 nobody answers" in group.partition(".SH EXIT STATUS")[2]


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not on PATH: apt-get install groff-base")
def test_troff_has_nothing_to_complain(tmp_path: Path) -> None:
    for each in commands(click.Context(ctl, info_name="ctl", parent=click.Context(main, info_name="submgr"))):
        file = tmp_path / "page"
        file.write_text(page(each))
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", str(file)], capture_output=True, text=True, check=True)
        assert done.stderr == "", each.command_path


def test_paragraphs() -> None:
    assert paragraphs_of(" a\n  b\n\n \n c \n") == ["a b", "c"]
