# SPDX-License-Identifier: Apache-2.0
"""Certificates of an xApp."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. `ca`: who signs the certificates of the other side; None: whom the system trusts.

    `certificate` and `key`: our own; the key may stand in the file of the certificate.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def as_client(self) -> ssl.SSLContext:
        """For requests. Raises OSError or ssl.SSLError for files that cannot be used."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context

    def as_server(self) -> ssl.SSLContext:
        """For notifications. With `ca` only clients with a certificate are let in."""
        if self.certificate is None:
            raise ValueError("notifications over https need a certificate")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if self.ca is not None:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
