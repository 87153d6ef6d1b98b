# SPDX-License-Identifier: Apache-2.0
"""The UEs by their IP addresses."""

from mec.controller.model import Ue


class IpAddresses:
    """Gives each IPv4 address to one UE only."""

    def __init__(self) -> None:
        self._holders: dict[str, Ue] = {}

    def holder(self, address: str) -> Ue | None:
        """The UE that has an address."""
        return self._holders.get(address)

    def update(self, ue: Ue) -> list[Ue]:
        """Notes the present addresses of a UE, and returns the UEs that lose one of them.

        An IPv6 address here is link-local and unique on its own link: no other UE loses it.
        """
        losers = []
        addresses = frozenset(ue.addresses)
        for address in ue.held - addresses:
            if self._holders.get(address) is ue:
                del self._holders[address]
        for address in addresses:
            other = self._holders.get(address)
            if other is not None and other is not ue and ":" not in address:
                _take(other, address)
                losers.append(other)
            self._holders[address] = ue
        ue.held = addresses
        return losers


def _take(ue: Ue, address: str) -> None:
    ue.bearers = {number: tuple(each for each in held if each != address) for number, held in ue.bearers.items()}
    ue.fed = tuple(each for each in ue.fed if each != address)
    ue.held = ue.held - {address}
