# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import pytest

from mec.meo.credentials import mistake, with_credentials
from mec.meo.drivers.base import DriverError
from mec.meo.model import Platform


def platform(credentials: Any) -> Platform:
    return Platform("oslo", "webhook", "x", credentials=credentials)


@pytest.mark.parametrize(
    ("content", "credentials"),
    [
        ("s3cret\n", "s3cret"),
        ('{"username": "u", "password": "p"}', {"username": "u", "password": "p"}),
        ("12345", "12345"),
        ('"quoted"', '"quoted"'),
    ],
)
def test_a_file_has_what_a_request_would_have(tmp_path: Path, content: str, credentials: Any) -> None:
    (tmp_path / "oslo").write_text(content)
    assert with_credentials(platform({"secret": "oslo"}), str(tmp_path)).credentials == credentials


def test_credentials_of_a_request_stay_as_they_are(tmp_path: Path) -> None:
    for given in (None, "token", {"token": "t"}):
        assert with_credentials(platform(given), str(tmp_path)) == platform(given)


@pytest.mark.parametrize("name", ["../oslo", "/etc/passwd", "a/b", "", ".", "..", "none", "a\0b", 7, ["oslo"]])
def test_no_other_file_can_be_named(tmp_path: Path, name: Any) -> None:
    (tmp_path.parent / "oslo").write_text("of somebody else")
    with pytest.raises(DriverError) as failed:
        with_credentials(platform({"secret": name}), str(tmp_path))
    assert "somebody" not in str(failed.value)


def test_with_a_directory_requests_have_no_credentials_of_their_own() -> None:
    for given in ("token", {"token": "t"}, {"kubeconfig": {}}, {"inCluster": True, "token": "t"}):
        assert "secret" in (mistake(given, "/secrets") or "")
        assert mistake(given, "") is None
    for given in (None, "", {"secret": "oslo"}, {"inCluster": True}):
        assert mistake(given, "/secrets") is None
    assert "credentialsDir" in (mistake({"secret": "oslo"}, "") or "")
