# SPDX-License-Identifier: Apache-2.0
"""The page of the manager loads what there is, from its own port."""

import re

from mec.manager.page_files import page_files

_LOADED = re.compile(r'(?:href|src)="(/page/[^"]+)"')
_IMPORTED = re.compile(r'from "\./([^"]+)"')


def texts() -> dict[str, str]:
    files = page_files().files
    return {name: file.content.decode() for name, file in files.items() if not name.startswith("vendor/")}


def test_everything_that_is_loaded_is_there() -> None:
    names, found = page_files().files.keys(), texts()
    loaded = {path.removeprefix("/page/") for path in _LOADED.findall(found["index.html"])}
    imported = {name for text in found.values() for name in _IMPORTED.findall(text)}
    assert loaded and imported
    assert loaded | imported <= names
    assert {name for name in found if name != "index.html"} <= loaded | imported


def test_nothing_comes_from_elsewhere_and_no_text_becomes_html() -> None:
    for name, text in texts().items():
        if name != "icon.svg":
            assert not re.search(r"https?://", text), name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|<script>|onclick=", text
        ), name
