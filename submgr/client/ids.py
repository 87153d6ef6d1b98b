# SPDX-License-Identifier: Apache-2.0
"""SubscriptionIds that outlive the xApp: a file that is replaced as a whole, so that no crash leaves half of one."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from submgr.client.values import Json, digest, number_of

log = logging.getLogger(__name__)

_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Remembered:
    """A request that was accepted. `details`: digests of what is asked for, by XappEventInstanceId.

    `place`: the E2 node, the RAN function and the RMR endpoint, which a request under the same id cannot change.
    """

    subscription_id: str
    place: str
    details: Mapping[str, str]

    def allows(self, place: str, details: Sequence[Json]) -> bool:
        """Whether a request can be sent under the same id: all that is subscribed stays the same, but for policies."""
        now = {str(number_of(detail)): detail for detail in details}
        return self.place == place and all(
            number in now and (digest(now[number]) == known or _is_policy(now[number]))
            for number, known in self.details.items()
        )


def _is_policy(detail: Json) -> bool:
    actions = detail.get("ActionToBeSetupList")
    return (
        isinstance(actions, list)
        and bool(actions)
        and all(isinstance(action, Mapping) and action.get("ActionType") == "policy" for action in actions)
    )


class IdFile:
    """The requests of one xApp by name. `path` None: they are forgotten with the process."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._path = None if path is None else Path(path)
        self._lock = threading.Lock()
        self._known: dict[str, Remembered] = self._read()

    def get(self, name: str) -> Remembered | None:
        with self._lock:
            return self._known.get(name)

    def all(self) -> dict[str, Remembered]:
        with self._lock:
            return dict(self._known)

    def put(self, name: str, remembered: Remembered) -> None:
        """Raises OSError when it cannot be written; it is known all the same while the process lives."""
        with self._lock:
            if self._known.get(name) != remembered:
                self._known[name] = remembered
                self._write()

    def forget(self, subscription_id: str) -> None:
        """Raises OSError, as `put`."""
        with self._lock:
            left = {name: one for name, one in self._known.items() if one.subscription_id != subscription_id}
            if len(left) != len(self._known):
                self._known = left
                self._write()

    def _read(self) -> dict[str, Remembered]:
        if self._path is None:
            return {}
        try:
            with self._path.open("rb") as file:
                return _parsed(json.loads(file.read(_LARGEST)))
        except FileNotFoundError:
            return {}
        except (ValueError, RecursionError) as error:
            aside = self._path.with_name(self._path.name + ".unreadable")
            log.warning("%s cannot be read and is put aside as %s: %s", self._path, aside.name, error)
            os.replace(self._path, aside)
            return {}

    def _write(self) -> None:
        if self._path is None:
            return
        text = json.dumps({name: asdict(one) for name, one in self._known.items()}, indent=1)
        directory = self._path.parent
        descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        _sync(directory)


def _sync(directory: Path) -> None:
    """The new name is on the disk, too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(content: Any) -> dict[str, Remembered]:
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    try:
        return {
            name: Remembered(
                str(one["subscription_id"]), str(one["place"]), {str(k): str(v) for k, v in one["details"].items()}
            )
            for name, one in content.items()
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"not a list of subscriptions: {error!r}") from error
