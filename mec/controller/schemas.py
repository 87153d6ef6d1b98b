# SPDX-License-Identifier: Apache-2.0
"""The JSON of the controller: records in the store, answers to HTTP requests, requests to identity providers."""

import ipaddress
from dataclasses import dataclass
from typing import Any

import msgspec

from mec.common import imsi as imsis
from mec.controller.model import Area, Cell, Enb, Identity, State, Ue
from mec.controller.protocol.nas_session import is_host_v4


@dataclass(frozen=True, slots=True)
class UeRecord:
    """A UE as the store keeps it."""

    imsi: str
    state: State
    bearers: dict[int, tuple[str, ...]]
    fed: tuple[str, ...]
    cell: Cell | None
    area: Area | None
    enb: Enb | None
    enb_ue_id: int | None
    mme_ue_id: int | None
    mme: str | None
    seen: float


@dataclass(frozen=True, slots=True)
class GutiRecord:
    """The IMSI that a GUTI stands for; the record is valid `until` (s since 1970)."""

    imsi: str
    until: float


@dataclass(frozen=True, slots=True)
class PushRecord:
    """The latest identities of a UE, and the identity providers (by URL) that have not been told them yet."""

    identities: tuple[Identity, ...]
    left: tuple[str, ...]


def record_of(ue: Ue) -> UeRecord:
    """The record of a UE."""
    return UeRecord(
        imsi=ue.imsi,
        state=ue.state,
        bearers=ue.bearers,
        fed=ue.fed,
        cell=ue.cell,
        area=ue.area,
        enb=ue.enb,
        enb_ue_id=ue.enb_ue_id,
        mme_ue_id=ue.mme_ue_id,
        mme=ue.mme,
        seen=round(ue.seen, 3),
    )


def ue_of(record: UeRecord) -> Ue:
    """The UE of a record."""
    return Ue(
        imsi=record.imsi,
        state=record.state,
        bearers=record.bearers,
        fed=record.fed,
        cell=record.cell,
        area=record.area,
        enb=record.enb,
        enb_ue_id=record.enb_ue_id,
        mme_ue_id=record.mme_ue_id,
        mme=record.mme,
        seen=record.seen,
    )


def ue_view(ue: Ue) -> dict[str, Any]:
    """A UE as `GET /ues` shows it; `seen` in s since 1970."""
    return {
        "imsi": ue.imsi,
        "ip": ue.addresses,
        "state": ue.state.value,
        "enb_ue_s1ap_id": ue.enb_ue_id,
        "mme_ue_s1ap_id": ue.mme_ue_id,
        "ecgi": cell_view(ue.cell),
        "tai": area_view(ue.area),
        "enb": {"mcc": ue.enb.mcc, "mnc": ue.enb.mnc, "enbId": ue.enb.id} if ue.enb is not None else None,
        "seen": round(ue.seen, 3),
    }


def cell_view(cell: Cell | None) -> dict[str, Any] | None:
    """An ECGI."""
    return {"mcc": cell.mcc, "mnc": cell.mnc, "cellId": cell.cell_id} if cell is not None else None


def area_view(area: Area | None) -> dict[str, Any] | None:
    """A TAI."""
    return {"mcc": area.mcc, "mnc": area.mnc, "tac": area.tac} if area is not None else None


def identity_body(identity: Identity, subscription_data: bytes | None) -> bytes:
    """The body of a request that tells an identity provider of a UE. `subscription_data` is encoded JSON."""
    body: dict[str, Any] = {
        "enb_ue_s1ap_id": identity.enb_ue_id,
        "imsi": identity.imsi,
        "remote_ip": identity.address,
        "mme_ue_s1ap_id": identity.mme_ue_id,
        "ecgi": cell_view(identity.cell),
        "tai": area_view(identity.area),
        "event": identity.happening.value,
    }
    body = {name: value for name, value in body.items() if value is not None}
    if subscription_data is not None:
        body["subscriptionData"] = msgspec.Raw(subscription_data)
    return msgspec.json.encode(body)


def fed_addresses(value: Any) -> tuple[str, ...]:
    """Converts the `ip` of a side feed, one address or a list of them. Raises ValueError in words."""
    given = value if isinstance(value, list) else [value]
    if not 1 <= len(given) <= 32:
        raise ValueError("one IP address, or a list of 1 to 32 of them")
    return tuple(dict.fromkeys(_address(each) for each in given))


def _address(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("an IP address is a text")
    try:
        address = ipaddress.ip_address(value.strip())
    except ValueError:
        raise ValueError(f"{value[:60]!r} is not an IP address") from None
    if address.is_unspecified or address.is_multicast or (address.version == 4 and not is_host_v4(address.packed)):
        raise ValueError(f"{address} is not an address that a UE can have")
    return str(address)


def prefetch_body(imsi: str) -> bytes:
    """The body of a request to the application mobility service to fetch the states of a UE."""
    return msgspec.json.encode({"imsi": imsis.shown(imsi)})
