# SPDX-License-Identifier: Apache-2.0
"""The model of the controller: UEs, and the S1 associations and connections on which they are seen."""

from dataclasses import dataclass, field
from enum import StrEnum

from mec.common import imsi as imsis


class State(StrEnum):
    """The state of a UE. A waiting UE has no known IP address yet; an idle UE keeps its addresses."""

    WAITING = "waiting"
    ATTACHED = "attached"
    MOVED = "moved"
    IDLE = "idle"
    DETACHED = "detached"


PRESENT = (State.ATTACHED, State.MOVED)
"""The states of a UE that has an S1 connection and an address."""


class Happening(StrEnum):
    """The events that identity providers are told. A released address is no longer the UE's, which stays attached."""

    ATTACHED = "attached"
    MOVED = "moved"
    DETACHED = "detached"
    RELEASED = "released"


HERE = (Happening.ATTACHED, Happening.MOVED)
"""The events of a UE that has the address; after the others it has it no longer."""


class Leaving(StrEnum):
    """What a UE has asked to leave, and the network has not confirmed yet."""

    EPS = "EPS"
    NON_EPS_ONLY = "non-EPS services only"


@dataclass(frozen=True, slots=True)
class Cell:
    """E-UTRAN cell global identifier (36.413, 9.2.1.38); the identity has 28 bits."""

    mcc: str
    mnc: str
    cell_id: int


@dataclass(frozen=True, slots=True)
class Area:
    """Tracking area identity (36.413, 9.2.3.16)."""

    mcc: str
    mnc: str
    tac: int


@dataclass(frozen=True, slots=True)
class Enb:
    """Global eNB id (36.413, 9.2.1.37)."""

    mcc: str
    mnc: str
    id: int


@dataclass(slots=True, eq=False)
class Association:
    """The mirrored connection between an eNB and an MME: the scope of eNB UE S1AP ids.

    `gummeis`: those that the MME serves now; `mme_name`: the name of the MME, once it has told its GUMMEIs.
    """

    id: int
    peer: str
    enb: Enb | None = None
    gummeis: tuple[bytes, ...] = ()
    mme_name: str | None = None
    connections: "dict[int, S1Connection]" = field(default_factory=dict)

    @property
    def mme(self) -> str:
        """The scope of MME UE S1AP ids: the MME by its name, else everything from the same peer."""
        return self.mme_name or f"peer {self.peer}"


@dataclass(slots=True, eq=False)
class S1Connection:
    """A UE-associated logical S1 connection. `order` grows with each new one.

    `mme` is the scope of `mme_ue_id`. `context`: the MME has set up the UE's context, so that it has authenticated it.
    `attaching`: the UE has asked to attach, so that addresses it had before are void;
    `accepted`: `bearers` (E-RAB id to addresses) are those of the Attach Accept.
    `by_attach`: the context was set up for an attach, so that the UE is not attached when the eNB fails to set it up.
    `protected`: the message that named the UE had an integrity protection, which only the MME can check.
    `leaving`: what the UE has asked to leave, until the MME confirms it. `switch`: the path switch that has brought
    the UE here, until the MME acknowledges it.
    """

    association: Association
    enb_ue_id: int
    order: int
    mme: str | None = None
    mme_ue_id: int | None = None
    imsi: str | None = None
    cell: Cell | None = None
    area: Area | None = None
    ciphering: int | None = None
    context: bool = False
    attaching: bool = False
    accepted: bool = False
    by_attach: bool = False
    protected: bool = False
    leaving: Leaving | None = None
    switch: "Switch | None" = None
    bearers: dict[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Switch:
    """A path switch that can still fail: where the UE comes from, and the bearers that it had there."""

    source: S1Connection
    bearers: dict[int, tuple[str, ...]]


@dataclass(slots=True, eq=False)
class Ue:
    """A UE by its IMSI. `bearers`: addresses by E-RAB id; `fed`: those that an operator supplied. `seen`: s since
    1970. `mme` is the scope of `mme_ue_id`. `announced`: where the identity providers know it, and by which addresses.
    `held`: the addresses it is found by.
    """

    imsi: str
    state: State = State.WAITING
    bearers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    fed: tuple[str, ...] = ()
    cell: Cell | None = None
    area: Area | None = None
    enb: Enb | None = None
    enb_ue_id: int | None = None
    mme_ue_id: int | None = None
    mme: str | None = None
    seen: float = 0.0
    connection: S1Connection | None = None
    held: frozenset[str] = frozenset()
    announced: "tuple[int | None, int | None, frozenset[str]]" = (None, None, frozenset())

    @property
    def key(self) -> str:
        """The key of the UE in tables and records."""
        return imsis.key(self.imsi)

    @property
    def addresses(self) -> list[str]:
        """All of its IP addresses, each once."""
        found = dict.fromkeys(address for addresses in self.bearers.values() for address in addresses)
        found.update(dict.fromkeys(self.fed))
        return list(found)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity provider is told: a UE has, or had, this address at this place."""

    happening: Happening
    imsi: str
    address: str
    enb_ue_id: int | None
    mme_ue_id: int | None
    cell: Cell | None
    area: Area | None


@dataclass(frozen=True, slots=True)
class Announce:
    """Effect: tell the identity providers, one message per address."""

    ue: Ue
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: store the UE, whose record has changed."""

    ue: Ue


@dataclass(frozen=True, slots=True)
class Learn:
    """Effect: store that a GUTI (10 octets) belongs to an IMSI."""

    guti: bytes
    imsi: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Effect: remove the records of UEs (by key) and of GUTIs that are out of date."""

    ues: tuple[str, ...]
    gutis: tuple[bytes, ...]


Effect = Announce | Keep | Learn | Forget
