# SPDX-License-Identifier: Apache-2.0
"""Which UE has an IP address."""

from mec.controller.model import Ue


class IpAddresses:
    """UEs by their addresses."""

    def __init__(self) -> None:
        self._holders: dict[str, Ue] = {}

    def holder(self, address: str) -> Ue | None:
        """The UE that has an address."""
        return self._holders.get(address)

    def update(self, ue: Ue) -> list[Ue]:
        """Take note of the addresses that a UE has now; the UEs that lose one of them by it.

        An IPv6 address here is a link-local one, unique on its own link: it is not taken from another UE.
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
