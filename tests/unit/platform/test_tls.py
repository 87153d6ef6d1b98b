# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import os
import shutil
import ssl
from pathlib import Path

import pytest
from support.tls.authority import Authority, Files

from submgr.platform.tls import TlsError, TlsFiles, TlsSocket, client_context, server_context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Files:
    return authority.issue("localhost")


def copied(files: Files, folder: Path) -> Files:
    """The files under names that stay, as Kubernetes mounts a Secret."""
    here = Files(str(folder / "tls.crt"), str(folder / "tls.key"))
    for source, target in ((files.certificate, here.certificate), (files.key, here.key)):
        shutil.copy(source, target + ".new")
        os.replace(target + ".new", target)
    return here


def followed(files: Files) -> TlsFiles:
    return TlsFiles(lambda: server_context(files.certificate, files.key), [files.certificate, files.key])


def test_clients_are_asked_for_a_certificate_when_there_is_a_ca(authority: Authority, server: Files) -> None:
    assert server_context(server.certificate, server.key).verify_mode is ssl.CERT_NONE
    assert server_context(server.certificate, server.key, authority.ca).verify_mode is ssl.CERT_OPTIONAL
    required = server_context(server.certificate, server.key, authority.ca, required=True)
    assert required.verify_mode is ssl.CERT_REQUIRED
    assert required.minimum_version is ssl.TLSVersion.TLSv1_2
    assert required.sslsocket_class is TlsSocket


def test_servers_are_always_verified(authority: Authority) -> None:
    for context in (client_context(), client_context(authority.ca)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


def test_a_context_follows_its_files(authority: Authority, server: Files, tmp_path: Path) -> None:
    files = copied(server, tmp_path)
    tls = followed(files)
    tls.load()
    first = tls.context
    assert tls.context is first
    copied(authority.issue("localhost-2"), tmp_path)
    second = tls.context
    assert second is not first
    assert tls.context is second
    assert tls.trouble() is None


@pytest.mark.parametrize("broken", ["certificate", "key"])
@pytest.mark.parametrize("content", [None, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_broken_new_files_change_nothing_and_are_told_once(
    server: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str, content: str | None
) -> None:
    files = copied(server, tmp_path)
    tls = followed(files)
    tls.load()
    first = tls.context
    path = Path(getattr(files, broken))
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert [tls.context for _ in range(3)] == [first] * 3
    assert str(path) in (tls.trouble() or "")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    copied(server, tmp_path)
    assert tls.context is not first
    assert tls.trouble() is None


def test_a_certificate_whose_key_has_not_come_yet_waits_for_it(
    authority: Authority, server: Files, tmp_path: Path
) -> None:
    files = copied(server, tmp_path)
    tls = followed(files)
    first = tls.context
    new = authority.issue("localhost-3")
    shutil.copy(new.certificate, files.certificate)
    assert tls.context is first
    shutil.copy(new.key, files.key)
    assert tls.context is not first


def test_files_that_never_were_good_are_an_error_that_names_them(server: Files, tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="/no/such/file"):
        TlsFiles(lambda: server_context("/no/such/file"), ["/no/such/file"]).load()
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(TlsError, match=r"encrypted\.key"):  # and nobody is asked for a password on the terminal
        followed(Files(server.certificate, str(encrypted))).load()
