# SPDX-License-Identifier: Apache-2.0
"""The stored records: their keys, and the model as JSON and back.

Beside the contexts, `meo_contexts` holds the journal, since one change of the store is atomic within a namespace:
`pair:...` for an application on a platform that may or may not be deployed, `notice:...` for a notification that a
device application has not got yet. `deployment:...` says how far a deployment is that may take its time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from mec.meo.model import App, Context, DeploymentState, Pair, Platform

APPS = "meo_apps"
PLATFORMS = "meo_platforms"
CONTEXTS = "meo_contexts"

_PAIR = "pair:"
_NOTIFICATION = "notice:"
_DEPLOYMENT = "deployment:"

_Record = TypeVar("_Record")


class BadRecord(Exception):
    """A stored value that this program did not write."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification for a device application. `move`: the number of the move of the context that it is about.

    `origin`: what the context has left, which is not removed before the device is told.
    """

    id: str
    context_id: str
    url: str
    body: Mapping[str, Any]
    move: int | None = None
    origin: Pair | None = None

    @property
    def store_key(self) -> str:
        return _NOTIFICATION + self.id


@dataclass(frozen=True, slots=True)
class StoredPlatform:
    """A platform with its last telemetry. Times are in s since 1970."""

    platform: Platform
    load: float | None = None
    load_at: float = 0.0
    key: float | None = None
    key_at: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredDeployment:
    """What a platform has told of a deployment, and the token by which it may tell more. `since`: s since 1970."""

    id: str
    pair: Pair
    token: str
    state: DeploymentState
    message: str
    since: float

    @property
    def store_key(self) -> str:
        return deployment_key(self.id)


def deployment_key(deployment_id: str) -> str:
    return _DEPLOYMENT + deployment_id


def pair_key(pair: Pair) -> str:
    return _PAIR + msgspec.json.encode([pair.platform, pair.app_key]).decode()


def is_pair(key: str) -> bool:
    return key.startswith(_PAIR)


def is_notification(key: str) -> bool:
    return key.startswith(_NOTIFICATION)


def is_deployment(key: str) -> bool:
    return key.startswith(_DEPLOYMENT)


def is_context(key: str) -> bool:
    return not key.startswith((_PAIR, _NOTIFICATION, _DEPLOYMENT))


def decode_deployment(data: bytes) -> StoredDeployment:
    return _decode(data, StoredDeployment)


def encode(value: App | Context | StoredPlatform | Notification | StoredDeployment | Pair) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(value)


def decode_app(data: bytes) -> App:
    return _decode(data, App)


def decode_platform(data: bytes) -> StoredPlatform:
    return _decode(data, StoredPlatform)


def decode_context(data: bytes) -> Context:
    return _decode(data, Context)


def decode_notification(data: bytes) -> Notification:
    return _decode(data, Notification)


def decode_pair(data: bytes) -> Pair:
    return _decode(data, Pair)


def _decode(data: bytes, kind: type[_Record]) -> _Record:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRecord(str(exc)) from exc
