# SPDX-License-Identifier: Apache-2.0
import logging
import os
from pathlib import Path

import pytest

from submgr.platform.secret_file import MAX_BYTES, SecretFile, secret_file


def put(path: Path, text: str) -> None:
    """As Kubernetes does: the new file takes the place of the old one."""
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


def test_a_changed_file_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "token"
    put(path, "  first\n")
    secret = SecretFile(str(path))
    assert [secret.text(), secret.text()] == ["first", "first"]
    put(path, "second")
    assert [secret.text(), secret.text()] == ["second", "second"]
    assert caplog.messages == ["secret changed"]
    assert "second" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("broken", [None, b"\xff", b"x" * (MAX_BYTES + 1)])
def test_an_unreadable_file_changes_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: bytes | None
) -> None:
    path = tmp_path / "token"
    put(path, "first")
    secret = SecretFile(str(path))
    assert secret.text() == "first"
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    assert [secret.text() for _ in range(3)] == ["first"] * 3
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    put(path, "second")
    assert secret.text() == "second"


def test_a_file_that_never_was_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        SecretFile(str(tmp_path / "none")).text()
    path = tmp_path / "late"
    secret = secret_file(str(path))
    assert secret_file(str(path)) is secret
    with pytest.raises(OSError, match="No such file"):
        secret.text()
    put(path, "here")
    assert secret.text() == "here"
