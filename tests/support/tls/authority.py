# SPDX-License-Identifier: Apache-2.0
"""A certificate authority, and the PEM files of those that it has signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

from submgr.platform.tls import TlsFiles, client_files


@dataclass(frozen=True, slots=True)
class Files:
    """`certificate` is followed by nothing: the CA signs by itself."""

    certificate: str
    key: str


class Authority:
    """Signs certificates, and writes them into `folder`. `ca`: the PEM file with its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self._ca.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *identities: str, common_name: str | None = None) -> Files:
        """A certificate in NAME.pem and its key in NAME.key. `identities`: its subjectAltNames, by default `name`."""
        made = self._ca.issue_cert(*(identities or (name,)), common_name=common_name)
        files = Files(str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key"))
        made.cert_chain_pems[0].write_to_path(files.certificate)
        made.private_key_pem.write_to_path(files.key)
        return files

    def client(self, shown: Files | None = None) -> TlsFiles:
        """The context of a client that trusts this CA, and shows a certificate."""
        return client_files(self.ca, shown and shown.certificate, shown and shown.key)
