# SPDX-License-Identifier: Apache-2.0
"""The section `tls` of the configuration file, which the daemon and the MEC programs have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from submgr.platform.config.file import Problem
from submgr.platform.config.schema import setting
from submgr.platform.config.values import Kind, one_of, text, truth
from submgr.platform.tls import TlsFiles, client_files, server_context

LISTENERS = ("xapp", "platform", "mec")


def _listeners(value: Any) -> tuple[str, ...]:
    choose = one_of(*LISTENERS)
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(dict.fromkeys(choose(each) for each in given))


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The PEM files of the servers and of the clients, and what they are used for."""

    certificate: str = setting(
        "cert", text, "", "PEM file with the certificate of our HTTP ports, and those that lead to its CA; none: no TLS"
    )
    key: str = setting("key", text, "", "PEM file with its private key; none: it is in the file cert")
    client_ca: str = setting(
        "clientCa", text, "", "PEM file with the CAs of clients: 8088 wants a certificate, other ports all but probes"
    )
    listeners: tuple[str, ...] = setting(
        "listeners",
        Kind(_listeners, f"list of {', '.join(LISTENERS)}", show=list),
        LISTENERS,
        "the ports with TLS: xapp (8088), platform (8080), mec",
    )
    ownership: bool = setting(
        "ownership", truth, False, "an xApp sees and deletes only what the name in its certificate (CN) has made"
    )
    ca: str = setting("ca", text, "", "PEM file with the CAs of the servers that we call; none: the system's")
    own_certificate: str = setting("ownCert", text, "", "PEM file with the certificate that we show them")
    own_key: str = setting("ownKey", text, "", "PEM file with its private key; none: it is in the file ownCert")
    rtmgr: bool = setting("rtmgr", truth, False, "https towards the Routing Manager")
    xapps: bool = setting("xapps", truth, False, "https towards xApps")

    def has(self, listener: str) -> bool:
        """Whether a listener has TLS."""
        return bool(self.certificate) and listener in self.listeners

    def server(self, listener: str, *, required: bool = False) -> TlsFiles | None:
        """The context of a listener; None when it has no TLS. `required`: a client must have a certificate."""
        if not self.has(listener):
            return None
        files = (self.certificate, self.key, self.client_ca)
        return TlsFiles(lambda: server_context(*files, required=required), files)

    def asks(self, listener: str) -> bool:
        """Whether the clients of a listener are asked for a certificate."""
        return self.has(listener) and bool(self.client_ca)

    def client(self) -> TlsFiles:
        """The context of our HTTP clients."""
        return client_files(self.ca, self.own_certificate, self.own_key)

    def problems(self, lines: Mapping[str, int]) -> list[Problem]:
        """What does not fit together. `lines`: where each setting stood in the file."""
        found = []
        if self.client_ca and not self.certificate:
            found.append(("clientCa", "is without effect unless tls.cert has the certificate of our ports"))
        if self.ownership and not (self.client_ca and "xapp" in self.listeners):
            found.append(("ownership", "needs tls.clientCa, and xapp among tls.listeners: nobody's name is known else"))
        return [Problem(lines.get(f"tls.{name}"), f"tls.{name}", message) for name, message in found]
