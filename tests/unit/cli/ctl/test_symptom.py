# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl symptom`: a zip that is there only when it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Response
from support.cli.platform import Platform

ZIP = b"PK\x03\x04" + bytes(200_000)


def zipped(breaks: bool = False) -> Response:
    def pieces() -> Iterator[bytes]:
        yield ZIP[:70_000]
        if breaks:
            raise OSError("the disk is gone")
        yield ZIP[70_000:]

    return Response(pieces(), content_type="application/zip", headers={"Content-Length": str(len(ZIP))})


def test_it_goes_to_the_file(daemon: Platform, tmp_path: Path) -> None:
    daemon.answers.append(zipped())
    file = tmp_path / "report.zip"
    said = daemon.ctl("symptom", str(file))
    assert (said.exit_code, said.stdout) == (0, "")
    assert said.stderr == f"written to {file}, {len(ZIP)} bytes\n"
    assert file.read_bytes() == ZIP
    assert daemon.paths == ["GET symptomdata"]


def test_without_a_name_it_has_the_time(daemon: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    daemon.answers.append(zipped())
    assert daemon.ctl("symptom").exit_code == 0
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("submgr-symptom-20")
    assert file.suffix == ".zip"


def test_the_standard_output(daemon: Platform) -> None:
    daemon.answers.append(zipped())
    said = daemon.ctl("symptom", "-")
    assert (said.stdout_bytes, said.stderr) == (ZIP, "")


def test_what_breaks_off_leaves_no_file(daemon: Platform, tmp_path: Path) -> None:
    daemon.answers.append(zipped(breaks=True))
    assert daemon.ctl("symptom", str(tmp_path / "report.zip")).exit_code == 3
    assert list(tmp_path.iterdir()) == []
