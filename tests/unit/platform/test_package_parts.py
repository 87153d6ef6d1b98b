# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from submgr.platform.package_parts import import_in_parts

NAME = "package_of_this_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / NAME
    directory.mkdir()
    (directory / "__init__.py").write_text("from . import heavy\nfrom .light import VALUE\nTHING = heavy.THING\n")
    (directory / "light.py").write_text("from . import lighter\nVALUE = lighter.VALUE\n")
    (directory / "lighter.py").write_text("VALUE = 7\n")
    (directory / "heavy.py").write_text("THING = 'heavy'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield directory
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def loaded() -> set[str]:
    return {name.rpartition(".")[2] for name in sys.modules if name.startswith(f"{NAME}.")}


def test_a_part_comes_without_the_whole(package: Path) -> None:
    import_in_parts(NAME)
    assert import_module(f"{NAME}.light").VALUE == 7
    assert loaded() == {"light", "lighter"}


@pytest.mark.parametrize(
    "ask", [lambda module: module.THING, lambda module: __import__(NAME, fromlist=["THING"]).THING]
)
def test_the_whole_comes_when_it_is_asked_for(package: Path, ask: Callable[[ModuleType], str]) -> None:
    import_in_parts(NAME)
    light = import_module(f"{NAME}.light")
    module = import_module(NAME)
    assert ask(module) == "heavy"
    assert loaded() == {"heavy", "light", "lighter"}
    assert module.VALUE == 7 and module.light is light
    with pytest.raises(AttributeError):
        _ = module.nothing


def test_a_whole_that_fails_is_tried_again(package: Path) -> None:
    whole = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text("raise OSError('not now')\n")
    import_in_parts(NAME)
    module = import_module(NAME)
    with pytest.raises(OSError, match="not now"):
        _ = module.THING
    (package / "__init__.py").write_text(whole + "# of another length\n")
    assert module.THING == "heavy"


def test_what_is_there_already_or_nowhere_is_left_as_it_is(package: Path) -> None:
    module = import_module(NAME)
    import_in_parts(NAME, "no_package_of_this_name")
    assert sys.modules[NAME] is module and "heavy" in loaded()
    assert "no_package_of_this_name" not in sys.modules
