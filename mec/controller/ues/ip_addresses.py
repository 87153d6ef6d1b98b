# SPDX-License-Identifier: Apache-2.0
"""The UEs by their IP addresses."""

from collections.abc import Container, Iterable

from mec.controller.model import PRESENT, State, Ue


class IpAddresses:
    """Gives each IPv4 address to one UE only."""

    def __init__(self) -> None:
        self._holders: dict[str, Ue] = {}

    def holder(self, address: str) -> Ue | None:
        """The UE that has an address."""
        return self._holders.get(address)

    def update(self, ue: Ue) -> list[tuple[Ue, str]]:
        """Notes the present addresses of a UE, and returns the UEs that lose one of them, with that address."""
        addresses = frozenset(ue.addresses)
        for address in ue.held - addresses:
            if self._holders.get(address) is ue:
                del self._holders[address]
        losers = self.vacate(addresses, ue)
        self._holders.update(dict.fromkeys(addresses, ue))
        ue.held = addresses
        return losers

    def vacate(self, addresses: Iterable[str], new: Ue | None = None) -> list[tuple[Ue, str]]:
        """Takes addresses from the UEs that have them, except from `new`. Returns those UEs, each with its address.

        An IPv6 address here is link-local and unique on its own link: no other UE loses it.
        """
        losers = []
        for address in addresses:
            holder = self._holders.get(address)
            if holder is not None and holder is not new and ":" not in address:
                del self._holders[address]
                _take(holder, address)
                losers.append((holder, address))
        return losers


def _take(ue: Ue, address: str) -> None:
    ue.bearers = {number: tuple(each for each in held if each != address) for number, held in ue.bearers.items()}
    ue.fed = tuple(each for each in ue.fed if each != address)
    ue.held = ue.held - {address}


def without(bearers: dict[int, tuple[str, ...]], gone: Container[int]) -> dict[int, tuple[str, ...]]:
    """The bearers, with their addresses, that are not in `gone`."""
    return {number: addresses for number, addresses in bearers.items() if number not in gone}


def wait_without_address(ue: Ue) -> None:
    """A UE that is in the network and has lost its last address waits for one."""
    if ue.state in PRESENT and not ue.addresses:
        ue.state = State.WAITING
