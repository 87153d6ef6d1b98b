# SPDX-License-Identifier: Apache-2.0
"""Rules for the addresses to which peers make this process connect: the section `outbound` of the configuration.

A peer that chooses an address, as an xApp chooses where it is notified, could make this process send requests to what
only this process reaches: its own ports, other containers of its pod, a cloud's metadata service (server-side request
forgery). The rules hold for the address that is connected to, after the look-up of its name. They do not hold for
neighbours whose addresses are in the configuration.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from gevent import monkey

from submgr.platform.names import Address
from submgr.platform.sparse_log import Sparsely

log = logging.getLogger(__name__)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOOPBACK = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}
_WORDS = {
    "loopback": tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1", "0.0.0.0/8", "::"))),
    "link-local": tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10"))),
}


class Refused(OSError):
    """The rules refuse every address of a host. The message names the host and the rule."""


def entry(text: str) -> tuple[Network, ...] | str:
    """Networks, or the end of a name in lower case with a dot before it. Raises ValueError.

    The words `loopback` and `link-local` stand for their networks.
    """
    given = text.strip().lower()
    if given in _WORDS:
        return _WORDS[given]
    name = given.removeprefix("*").removeprefix(".").removesuffix(".")
    if len(name) < 254 and _NAME.fullmatch(name):
        return f".{name}"
    try:
        return (ipaddress.ip_network(given),)
    except ValueError as exc:
        raise ValueError(f'{text!r} is neither a network like "10.0.0.0/8" nor the end of a name ({exc})') from None


class OutboundRules:
    """Entries of `allow` are allowed, of `deny` refused; in doubt allowed. What neither has is allowed, unless there is
    nothing but `allow`. Without any entry everything is allowed, this process's own ports, too.

    An entry is a network or the end of a name, see `entry`. Raises ValueError.
    """

    def __init__(self, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> None:
        self._allow = [(text, entry(text)) for text in allow]
        self._deny = [(text, entry(text)) for text in deny]

    @property
    def open(self) -> bool:
        """Whether everything is allowed."""
        return not self._allow and not self._deny

    def refusal(self, host: str, address: str | None) -> str | None:
        """Why the rules refuse `address`, which `host` was looked up to; None when they allow it.

        Without an address only what the name tells is judged.
        """
        name = f".{host.lower().removesuffix('.')}"
        meant = _meant(address) if address is not None else []
        # an address is allowed in the sense in which it is connected to, and denied in any sense
        if _match(self._allow, name, meant[-1:]) is not None:
            return None
        if (found := _match(self._deny, name, meant)) is not None:
            return f"outbound.deny has {found}"
        if self._allow and not self._deny and meant:
            return "outbound.allow does not have it"
        return None


def _match(
    entries: Iterable[tuple[str, tuple[Network, ...] | str]], name: str, addresses: Collection[IpAddress]
) -> str | None:
    """The text of the first entry for the name or one of the addresses."""
    for text, each in entries:
        if isinstance(each, str):
            if name.endswith(each):
                return text
        elif any(address in network for network in each for address in addresses):
            return text
    return None


def _meant(address: str) -> list[IpAddress]:
    """An address, and the one that it stands for, last: IPv4 in IPv6, and this host for no address at all."""
    found = [ipaddress.ip_address(address)]
    if isinstance(found[0], ipaddress.IPv6Address) and found[0].ipv4_mapped is not None:
        found.append(found[0].ipv4_mapped)
    if found[-1].is_unspecified:  # a connection to 0.0.0.0 reaches 127.0.0.1
        found.append(_LOOPBACK[found[-1].version])
    return found


class Outbound:
    """The rules in force. `refused`: how many connections they refused.

    `own_ports`: gives the ports on which this process listens.
    """

    def __init__(
        self, rules: OutboundRules | None = None, own_ports: Callable[[], Collection[int]] = frozenset
    ) -> None:
        self.rules = rules or OutboundRules()
        """Replaced on a reload. Connections that were kept open under others are not used any more."""
        self.own_ports = own_ports
        self.refused = 0
        self._sparsely = Sparsely(log)

    def refusal(self, host: str, port: int) -> str | None:
        """Why nobody may be told to connect to `host`, as far as it tells without a look-up; None when it is allowed.

        `host`: a name or an IP address, which may stand in brackets.
        """
        if self.rules.open:
            return None
        host = host.removeprefix("[").removesuffix("]")
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            return self.rules.refusal(host, None)
        return self._refusal(host, (socket.AF_INET if version == 4 else socket.AF_INET6, (host, port)))

    def url_refusal(self, url: str) -> str | None:
        """`refusal` of the host and port of an http or https URL; None for what is no URL and leads nowhere."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return None
        return self.refusal(parts.hostname or "", port)

    def permitted(self, host: str, addresses: list[Address]) -> list[Address]:
        """Those of the addresses of `host` that the rules allow. Raises Refused when there are some, and none is."""
        refusals = [self._refusal(host, each) for each in addresses]
        allowed = [each for each, refusal in zip(addresses, refusals, strict=True) if refusal is None]
        if addresses and not allowed:
            self.refused += 1
            address = addresses[0][1][0]
            shown = address if host == address else f"{host} ({address})"
            self._sparsely.log(
                logging.WARNING, str(refusals[0]), "connection refused by the rules", address=shown, rule=refusals[0]
            )
            raise Refused(f"{shown} is refused: {refusals[0]}")
        return allowed

    def _refusal(self, host: str, address: Address) -> str | None:
        if self.rules.open:
            return None
        family, (ip, port, *scope) = address
        if port in self.own_ports() and _is_of_this_host(family, (ip, 0, *scope)):
            return f"port {port} is this process's own"
        return self.rules.refusal(host, ip)


def _is_of_this_host(family: int, address: tuple[Any, ...]) -> bool:
    """Whether an address is one of this host's: only then can a socket have it."""
    # not gevent's own, which would begin an event loop in a native thread
    plain_socket = monkey.get_original("socket", "socket")
    try:
        with plain_socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind(address)
    except OSError:
        return False
    return True
