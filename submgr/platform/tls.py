# SPDX-License-Identifier: Apache-2.0
"""TLS: contexts that follow their files, handshakes with a deadline, and the names in client certificates.

The sockets are gevent's. Its `SSLContext` has to be used: that of the standard library makes sockets that stop the
event loop.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import gevent
import gevent.ssl
from gevent import socket

from submgr.platform.fair import Share
from submgr.platform.secret_file import Stamp, stamp

log = logging.getLogger(__name__)


class TlsError(OSError):
    """Files that make no TLS context. The message is one line that names the files and the reason."""


class TlsSocket(gevent.ssl.SSLSocket):  # type: ignore[misc]
    """A connection with TLS."""

    shown: Mapping[str, Any] | None = None
    """The certificate of the client, where it has shown one that is signed by one of ours. Kept from its handshake on:
    of a connection that has broken TLS tells no more, though a request may have come on it."""

    def do_handshake(self) -> None:
        """As gevent's, but a thousand handshakes at once do not hold up the event loop."""
        share = Share(costly=True)  # a step may take a millisecond
        while True:
            share.spend()
            try:
                self._sslobj.do_handshake()
                return
            except ssl.SSLWantReadError:
                self._wait(self._read_event)
            except ssl.SSLWantWriteError:
                self._wait(self._write_event)
            share.renew()

    def shutdown(self, how: int) -> None:
        """Ends the TCP connection. What another greenlet is reading or writing ends as a lost connection does."""
        socket.socket.shutdown(self, how)  # gevent's leaves a socket that raises what a socket does not raise

    @property
    def verified(self) -> bool:
        """Whether the client has shown a certificate, which is signed by one of ours."""
        return bool(self.shown)

    @cached_property
    def peer_name(self) -> str | None:
        """The common name (CN) of the client's certificate, else the first DNS name in it (subjectAltName).

        None when it has shown none, and for one without both.
        """
        certificate = self.shown or {}
        subject: dict[str, str] = {name: value for part in certificate.get("subject", ()) for name, value in part}
        names = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
        return subject.get("commonName") or next(iter(names), None)


def server_context(certificate: str, key: str = "", ca: str = "", *, required: bool = False) -> ssl.SSLContext:
    """The context of a server that shows the PEM file `certificate`, whose key is in the file `key`, or in it as well.

    `ca`: clients are asked for a certificate that is signed by one in this file; with `required` they must have one.
    Raises OSError when a file cannot be read or is not PEM.
    """
    context = _context(gevent.ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    _show(context, certificate, key)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def client_context(ca: str | None = None, certificate: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """The context of a client, which shows `certificate`, and checks the server against the PEM file `ca`.

    `ca` None: the CAs of the system. Raises OSError when a file cannot be read or is not PEM.
    """
    context = _context(gevent.ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        context.load_verify_locations(ca)
    else:
        context.load_default_certs()
    if certificate:
        _show(context, certificate, key)
    return context


def _context(protocol: int) -> ssl.SSLContext:
    context = gevent.ssl.SSLContext(protocol)
    context.sslsocket_class = TlsSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return cast(ssl.SSLContext, context)


def _show(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    # without a password OpenSSL would ask on the terminal for that of an encrypted key
    context.load_cert_chain(certificate, key or None, password="")


class TlsFiles:
    """A context that is made anew when its files have changed. When that fails, the old one stays, and the log says so.

    It looks at them when somebody asks for the context, that is at each handshake.
    """

    def __init__(self, make: Callable[[], ssl.SSLContext], files: Sequence[str]) -> None:
        self._make = make
        self._files = [each for each in files if each]
        self._context: ssl.SSLContext | None = None
        self._stamps: list[Stamp | None] = []
        self._trouble: str | None = None

    def load(self) -> None:
        """Makes the first context. Raises TlsError."""
        stamps = self._look()
        try:
            self._context = self._make()
        except (OSError, ValueError) as exc:
            raise TlsError(self._words(exc)) from exc
        self._stamps = stamps

    def trouble(self) -> str | None:
        """Why the files as they are now are not in use, in words; None when they are."""
        self._follow()
        return self._trouble

    @property
    def context(self) -> ssl.SSLContext:
        """The context of the newest files that make one. Raises TlsError when there never were any."""
        if self._context is None:
            self.load()
        else:
            self._follow()
        assert self._context is not None
        return self._context

    def _follow(self) -> None:
        stamps = self._look()
        if self._context is None or stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._context = self._make()
        except (OSError, ValueError) as exc:
            self._trouble = f"the old certificates stay in use: {self._words(exc)}"
            log.error("TLS files refused, the old ones stay in use", extra={"files": self._files, "why": str(exc)})
            return
        self._trouble = None
        log.warning("TLS files changed", extra={"files": self._files})

    def _look(self) -> list[Stamp | None]:
        return [stamp(each) for each in self._files]

    def _words(self, exc: Exception) -> str:
        return f"{', '.join(self._files)}: {exc}"


def client_files(ca: str | None, certificate: str | None, key: str | None) -> TlsFiles:
    """The context of a client (see `client_context`) that follows its files."""
    return TlsFiles(lambda: client_context(ca, certificate, key), [each for each in (ca, certificate, key) if each])


def accept(sock: socket.socket, context: ssl.SSLContext, seconds: float) -> TlsSocket:
    """Makes the handshake with a client that has connected. `sock` is not to be used any more, whatever comes of it.

    Raises OSError when the client does not manage, or takes longer than `seconds`.
    """
    secure = cast(Any, context).wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    try:
        with gevent.Timeout(seconds, TimeoutError(f"no TLS handshake within {seconds:g} s")):
            secure.do_handshake()
        secure.shown = secure.getpeercert()
    except BaseException:
        secure.close()
        raise
    return cast(TlsSocket, secure)
