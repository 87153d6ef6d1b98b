# SPDX-License-Identifier: Apache-2.0
"""What a NAS message of EPS says about a UE (3GPP TS 24.301)."""

from dataclasses import dataclass
from enum import Enum


class NasError(ValueError):
    """A message that breaks off or contradicts itself."""


class Kind(Enum):
    """What a message is about."""

    ATTACH_REQUEST = "attach request"
    ATTACH_ACCEPT = "attach accept"
    ATTACH_REJECT = "attach reject"
    AUTHENTICATION_REJECT = "authentication reject"
    DETACH_REQUEST = "detach request"
    DETACH_ACCEPT = "detach accept"
    AREA_UPDATE_REQUEST = "tracking area update request"
    AREA_UPDATE_ACCEPT = "tracking area update accept"
    AREA_UPDATE_REJECT = "tracking area update reject"
    GUTI_REALLOCATION = "GUTI reallocation command"
    IDENTITY_RESPONSE = "identity response"
    SECURITY_MODE = "security mode command"
    DEFAULT_BEARER = "activate default EPS bearer context request"
    DEFAULT_BEARER_REJECT = "activate default EPS bearer context reject"
    DEACTIVATE_BEARER = "deactivate EPS bearer context request"
    SERVICE_REQUEST = "service request"
    SERVICE_ACCEPT = "service accept"
    SERVICE_REJECT = "service reject"
    OTHER = "other"
    CIPHERED = "ciphered"


@dataclass(frozen=True, slots=True)
class Nas:
    """A message. `guti`: PLMN, group, code, M-TMSI (10 octets). `addresses`: the PDN address of the default bearer
    that is activated; `bearer`: the EPS bearer identity that an ESM message is about, which is its E-RAB id too.
    `active`: the EPS bearers that the network still has. `ciphering`: the number of the EPS encryption algorithm that
    is chosen, 0 for none. `cause`: the EMM cause of a reject. `non_eps_only`: of a detach request that leaves the UE
    in EPS."""

    kind: Kind
    imsi: str | None = None
    guti: bytes | None = None
    bearer: int | None = None
    addresses: tuple[str, ...] = ()
    active: frozenset[int] | None = None
    ciphering: int | None = None
    cause: int | None = None
    non_eps_only: bool = False


OTHER = Nas(Kind.OTHER)


def value_at(data: bytes, at: int) -> bytes:
    """The value of an IE whose length is the octet at `at`; at least one octet."""
    size = data[at]
    value = data[at + 1 : at + 1 + size]
    if not value or len(value) != size:
        raise NasError("an IE that breaks off")
    return value
