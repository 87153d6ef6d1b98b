# SPDX-License-Identifier: Apache-2.0
"""What identity providers are told of a UE, and what they know of it already."""

from collections.abc import Iterable

from mec.controller.model import Announce, Happening, Identity, Ue


def announce(ue: Ue, happening: Happening) -> list[Announce]:
    """The UE is where it is: tells what is not known. An address is told again when the eNB UE id has changed."""
    place = (ue.connection.association.id if ue.connection is not None else None, ue.enb_ue_id)
    known = ue.announced[2] if ue.announced[:2] == place else frozenset()
    ue.announced = (*place, ue.held)
    return _tell(ue, happening, (address for address in ue.addresses if address not in known), ue.enb_ue_id)


def release(ue: Ue, gone: frozenset[str]) -> list[Announce]:
    """Addresses are no longer the UE's: tells those that are known, by the eNB UE id with which they are known."""
    association, enb_ue_id, known = ue.announced
    ue.announced = (association, enb_ue_id, known - gone)
    return _tell(ue, Happening.RELEASED, sorted(known & gone), enb_ue_id)


def leave(ue: Ue) -> list[Announce]:
    """The UE has left the network with all of its addresses."""
    ue.announced = (None, None, frozenset())
    return _tell(ue, Happening.DETACHED, ue.addresses, ue.enb_ue_id)


def _tell(ue: Ue, happening: Happening, addresses: Iterable[str], enb_ue_id: int | None) -> list[Announce]:
    identities = tuple(
        Identity(happening, ue.imsi, address, enb_ue_id, ue.mme_ue_id, ue.cell, ue.area) for address in addresses
    )
    return [Announce(ue, identities)] if identities else []
