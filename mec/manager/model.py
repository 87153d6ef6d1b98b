# SPDX-License-Identifier: Apache-2.0
"""The model of the manager: users, and the content of the data file."""

from dataclasses import dataclass
from typing import Any

from mec.common import imsi as imsis


@dataclass(frozen=True, slots=True)
class User:
    """A subscriber of this MEC, and what is subscribed (`{"subscribedApps": [...]}`)."""

    imsi: str
    data: dict[str, Any]

    @property
    def key(self) -> str:
        return imsis.key(self.imsi)


@dataclass(frozen=True, slots=True)
class FormerUse:
    """A UE used an application at a MEC and left this state (JSON) there."""

    imsi: str
    mec_id: int
    app_id: str
    state: bytes


@dataclass(frozen=True, slots=True)
class DataFile:
    """The content of the data file."""

    users: tuple[User, ...]
    ues: tuple[FormerUse, ...]
