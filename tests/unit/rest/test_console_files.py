# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fnmatch
import posixpath
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from flask.testing import FlaskClient

from submgr.adapters.journal.entries import Kind
from submgr.adapters.journal.node_states import WORDS
from submgr.adapters.journal.outcomes import STEPS
from submgr.overview.values import State
from submgr.rest.console_files import console_files

PAGE = "index.html"
ROOT = Path(__file__).parents[3]
FILES = sorted(console_files().files)
OWN = [name for name in FILES if not name.startswith("vendor/") and name.endswith((".js", ".html", ".css"))]
MODULES = [name for name in OWN if name.endswith(".js")]


def text(name: str) -> str:
    return console_files().files[name].content.decode()


@pytest.mark.parametrize("path", ["/", "/console", "/console/", "/console/index.html"])
def test_the_page_and_its_policy(platform: FlaskClient, path: str) -> None:
    answer = platform.get(path)
    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert "<title>E2 Subscription Manager</title>" in answer.get_data(as_text=True)
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[f"{what}-src"] for what in ("script", "style", "connect", "img")} == {"'self'"}
    assert {policy["base-uri"], policy["form-action"], policy["frame-ancestors"]} == {"'none'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", FILES)
def test_each_file_once(platform: FlaskClient, name: str) -> None:
    answer = platform.get(f"/console/{name}")
    assert (answer.status_code, answer.data) == (200, console_files().files[name].content)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-cache"
    again = platform.get(f"/console/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert platform.get(f"/console/{name}", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/console/../platform.py",
        "/console/%2e%2e/platform.py",
        "/console/vendor",
        "/console/vendor/../../platform.py",
        "/console/vendor/%2e%2e%2f%2e%2e%2fplatform.py",
        "/console//etc/passwd",
        "/console/%2fetc%2fpasswd",
        "/console/index.html%00.js",
        "/console/app",
    ],
)
def test_nothing_but_the_files(platform: FlaskClient, path: str) -> None:
    assert platform.get(path).status_code == 404


def test_nothing_from_elsewhere_and_no_html_made_of_text() -> None:
    for name in OWN:
        content = text(name)
        assert "://" not in content, name
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert way not in content, name
    page = text(PAGE)
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script>", page)


def test_what_is_named_is_there() -> None:
    named = {each.removeprefix("/console/") for each in re.findall(r'(?:src|href)="(/console/[^"]+)"', text(PAGE))}
    for module in MODULES:
        for each in re.findall(r'^import .*?"(\.[^"]+)";$', text(module), re.MULTILINE):
            named.add(posixpath.normpath(posixpath.join(posixpath.dirname(module), each)))
    assert named <= set(FILES)
    used = named | {PAGE} | {name for name in FILES if name.startswith("vendor/LICENSE")}
    assert used == set(FILES), "a file that nothing uses"


def test_what_is_vendored_has_its_licence_and_is_unchanged() -> None:
    readme = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    vendored = [name for name in FILES if name.startswith("vendor/") and not name.startswith("vendor/LICENSE")]
    for name in vendored:
        row = next(line for line in readme.splitlines() if f"`{posixpath.basename(name)}`" in line)
        assert console_files().files[name].tag in row, "another content than the one that was looked at"
    assert {"vendor/LICENSE.uPlot.txt", "vendor/LICENSE.preact.txt", "vendor/LICENSE.htm.txt"} <= set(FILES)


def test_all_of_it_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["submgr.rest"]
    for name in (name for name in FILES if not name.startswith("vendor/")):
        depth = name.count("/") + 1
        assert any(
            pattern.count("/") == depth and fnmatch.fnmatch(f"console/{name}", pattern) for pattern in patterns
        ), name


def test_words_that_the_daemon_uses_are_known_to_the_console() -> None:
    kinds = re.search(r"KINDS = \[(.*?)\]", text("stream.js"), re.DOTALL)
    assert kinds is not None
    assert set(re.findall(r'"(\w+)"', kinds[1])) == {kind.value for kind in Kind}
    steps = re.search(r"STEPS = \{(.*?)\}", text("pages/subscription.js"), re.DOTALL)
    assert steps is not None
    assert set(re.findall(r"(\w+):", steps[1])) == set(STEPS)
    for state in (*get_args(State), *WORDS.values()):
        assert re.search(rf'"?{state}"?: \["', text("parts.js")), f"{state} has a badge"
