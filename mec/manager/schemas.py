# SPDX-License-Identifier: Apache-2.0
"""The data file, records, and the answer to who asks for a user's data."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from mec.common import imsi as imsis
from mec.common.ids import app_id, mec_id
from mec.common.relaxed_json import Step, line_of, parse, shown
from mec.manager.model import DataFile, FormerUse, User
from submgr.platform.config.file import ConfigError, Problem

T = TypeVar("T")

_PIECE = 256 * 1024


def data_file(text: str) -> DataFile:
    """`{"users": [{"imsi", "subscriptionData"}], "ues": [{"imsi", "mecId", "appId", "state"}]}`.

    Both lists may be absent; other members are ignored. Raises ConfigError with all mistakes.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._mistakes: list[tuple[tuple[Step, ...], str]] = []

    def read(self) -> DataFile:
        content = parse(self._text)
        if not isinstance(content, dict):
            raise ConfigError([Problem(1, "", 'must be an object with "users" and "ues"')])
        users = [self._user(steps, entry) for steps, entry in self._entries(content, "users")]
        ues = [self._use(steps, entry) for steps, entry in self._entries(content, "ues")]
        self._unique("users", [user.key for user in users])
        if self._mistakes:
            raise ConfigError(
                [Problem(line_of(self._text, steps), shown(steps), message) for steps, message in self._mistakes[:100]]
            )
        return DataFile(tuple(users), tuple(ues))

    def _entries(self, content: dict[str, Any], name: str) -> Iterator[tuple[tuple[Step, ...], dict[str, Any]]]:
        entries = content[name] if content.get(name) is not None else []
        if not isinstance(entries, list):
            self._mistakes.append(((name,), "must be a list"))
            return
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield (name, index), entry
            else:
                self._mistakes.append(((name, index), "must be an object"))

    def _user(self, steps: tuple[Step, ...], entry: dict[str, Any]) -> User:
        return User(
            imsi=self._field(steps, entry, "imsi", imsis.parse, ""),
            data=self._field(steps, entry, "subscriptionData", _object, {}),
        )

    def _use(self, steps: tuple[Step, ...], entry: dict[str, Any]) -> FormerUse:
        return FormerUse(
            imsi=self._field(steps, entry, "imsi", imsis.parse, ""),
            mec_id=self._field(steps, entry, "mecId", mec_id, 0),
            app_id=self._field(steps, entry, "appId", app_id, ""),
            state=self._field(steps, entry, "state", msgspec.json.encode, b""),
        )

    def _field(
        self, steps: tuple[Step, ...], entry: dict[str, Any], name: str, convert: Callable[[Any], T], otherwise: T
    ) -> T:
        if name not in entry:
            self._mistakes.append(((*steps, name), "is missing"))
            return otherwise
        try:
            return convert(entry[name])
        except ValueError as exc:
            self._mistakes.append(((*steps, name), str(exc)))
            return otherwise

    def _unique(self, name: str, keys: list[str]) -> None:
        seen: set[str] = set()
        for index, key in enumerate(keys):
            if key and key in seen:
                self._mistakes.append(((name, index, "imsi"), "this user is in the file already"))
            seen.add(key)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


class Additional:
    """`additional` of an answer: so many characters "1", one object however often it is sent."""

    def __init__(self, size: int) -> None:
        self._pieces = [b"1" * _PIECE] * (size // _PIECE) + [b"1" * (size % _PIECE)]
        self._size = size

    def answer(self, main_data: bytes) -> tuple[list[bytes], int]:
        """The pieces of `{"mainData": ..., "additional": "111..."}`, and how many bytes they are."""
        head, tail = b'{"mainData":' + main_data + b',"additional":"', b'"}'
        return [head, *self._pieces, tail], len(head) + self._size + len(tail)


class PeerUser(msgspec.Struct):
    """What another MEC says of a user; the rest of its answer is passed on, not looked at."""

    mainData: msgspec.Raw
