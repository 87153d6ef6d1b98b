# SPDX-License-Identifier: Apache-2.0
"""The services of one MEC, of a process that has the store for itself or of one of several replicas that share it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from mec.ams.amsi.model import Registrations
from mec.ams.amsi.service import Mobility
from mec.ams.amsi.shared_service import SharedMobility
from mec.ams.model import KnownUses, NoState, StateError
from mec.ams.service import Ams
from mec.ams.shared_uses import SharedUses
from mec.ams.ue_addresses import UeAddresses
from mec.ams.uses import NAMESPACE as USES
from mec.ams.uses import Uses
from mec.common.flights import Flights
from mec.common.peer_client import PeerClient
from mec.common.replica import Replica
from mec.common.settings import MecSettings
from mec.manager.service import HomeSilent, UnknownUser, Users
from mec.manager.shared_user_records import SharedUserRecords
from mec.manager.user_records import NAMESPACE as USERS
from mec.manager.user_records import UserRecords
from submgr.platform.http.client import HttpClient
from submgr.platform.store.base import Store


class MobilityService(Registrations, Protocol):
    """MEC 021 as the program starts and stops it."""

    counts: Counter[str]

    def start(self) -> None: ...
    def stop(self) -> None: ...
    @property
    def loaded(self) -> bool: ...
    @property
    def waiting(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """`gauges`: how much there is of what, by the name of the metric and its text; only a process alone knows it.

    `wake` is called when this replica becomes the active one.
    """

    users: Users
    uses: KnownUses
    ams: Ams
    mobility: MobilityService
    gauges: Mapping[tuple[str, str], Callable[[], float]]
    wake: Callable[[], None]


def parts_of(settings: MecSettings, store: Store | Replica, peers: PeerClient, outward: HttpClient) -> Parts:
    """`outward`: for addresses that applications and subscribers have given."""
    if isinstance(store, Replica):
        return _together(settings, store, peers, outward)
    return _alone(settings, store, peers, outward)


def _alone(settings: MecSettings, store: Store, peers: PeerClient, outward: HttpClient) -> Parts:
    uses = Uses(store, settings.mec_id)
    known = UserRecords(settings, store)
    users = Users(settings, known, peers)
    ams = Ams(settings, uses, peers, PeerClient(outward), users.apps_of)
    mobility = Mobility(settings, store, outward, UeAddresses(settings.controller_url, peers), uses)
    ams.observer = mobility
    gauges: dict[tuple[str, str], Callable[[], float]] = {
        ("mec_users", "Users of this MEC"): lambda: len(known),
        ("mec_ams_uses", "Known uses of applications"): lambda: len(uses),
    }
    return Parts(users, uses, ams, mobility, gauges, lambda: None)


def _together(settings: MecSettings, replica: Replica, peers: PeerClient, outward: HttpClient) -> Parts:
    shared, mec = replica.shared, settings.mec_id
    home = Flights(
        shared,
        USERS,
        f"{mec}/flight/",
        {"unknown": UnknownUser, "silent": HomeSilent},
        lambda: HomeSilent("another replica asks it, and has no answer yet"),
    )
    states = Flights(
        shared,
        USES,
        f"ams/{mec}/flight/",
        {"none": NoState, "failed": StateError},
        lambda: StateError("the other MEC does not answer in time"),
    )
    users = Users(settings, SharedUserRecords(settings, shared), peers, home)
    addresses = UeAddresses(settings.controller_url, peers)
    mobility = SharedMobility(settings, shared, outward, addresses, replica.role.acting)
    uses = SharedUses(shared, mec, mobility.describe)
    mobility.know(uses)
    ams = Ams(settings, uses, peers, PeerClient(outward), users.apps_of, one_flight=states)
    ams.observer = mobility
    return Parts(users, uses, ams, mobility, {}, mobility.wake)
