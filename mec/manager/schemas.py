# SPDX-License-Identifier: Apache-2.0
"""Reads the data file, and makes and reads answers with the data of a user."""

from collections.abc import Callable
from typing import Any

import msgspec

from mec.common import imsi as imsis
from mec.common.ids import app_id, mec_id
from mec.common.relaxed_json import DIALECT, check, parse, problems
from mec.manager.model import DataFile, FormerUse, User
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.http.json_fields import Fields, Mistakes, an_object, writable

_SHOWN = 10
"""Mistakes of a changed file that are named in the log."""
_PIECE = 256 * 1024


def data_file(text: str) -> DataFile:
    """Reads `{"users": [{"imsi", "subscriptionData"}], "ues": [{"imsi", "mecId", "appId", "state"}]}`.

    Both lists may be absent; other members are ignored. Raises ConfigError with all mistakes.
    """
    content, mistakes, _ = _read(text)
    check(text, mistakes)
    return content


def changed_users(text: str, known: Callable[[str], User | None]) -> tuple[tuple[User, ...], list[Problem]]:
    """Reads the users of a data file that has changed while it is in use: an entry with a mistake is left out, and the
    user whom it is about stays as he is `known`, by his key.

    Returns the first mistakes, too. Raises ConfigError for a text that is no data file at all.
    """
    content, mistakes, broken = _read(text)
    users = {user.key: user for user in content.users}
    for key in broken:
        before = known(key)
        if before is not None:
            users.setdefault(key, before)
    return tuple(users.values()), problems(text, mistakes, limit=_SHOWN)


def _read(text: str) -> tuple[DataFile, Mistakes, list[str]]:
    """The entries without a mistake, the mistakes, and the keys of the users whose entries have one."""
    content = parse(text)
    if not isinstance(content, dict):
        raise ConfigError([Problem(1, "", 'must be an object with "users" and "ues"')])
    # null instead of a list counts as absent, unlike null within its objects
    fields = Fields({name: value for name, value in content.items() if value is not None}, "", Mistakes(DIALECT))
    users: dict[int, User] = {}
    broken: list[str] = []
    seen: set[str] = set()
    for index, entry in fields.children("users"):
        before = len(fields.mistakes.found)
        user = _user(entry)
        if user.key and user.key in seen:
            fields.wrong(f"users[{index}].imsi", "this user is in the file already")
        seen.add(user.key)
        if len(fields.mistakes.found) == before:
            users[index] = user
        elif user.key:
            broken.append(user.key)
    ues = [_use(use) for _, use in fields.children("ues")]
    return DataFile(tuple(users.values()), tuple(ues)), fields.mistakes, broken


def _user(fields: Fields) -> User:
    return User(
        imsi=fields.need("imsi", imsis.parse, ""),
        data=fields.need("subscriptionData", _data, {}),
    )


def _use(fields: Fields) -> FormerUse:
    return FormerUse(
        imsi=fields.need("imsi", imsis.parse, ""),
        mec_id=fields.need("mecId", mec_id, 0),
        app_id=fields.need("appId", app_id, ""),
        state=fields.need("state", writable, b""),
    )


def _data(value: Any) -> dict[str, Any]:
    found = an_object(value)
    writable(found)
    return found


class Additional:
    """The member `additional` of answers: `size` characters "1", which all answers share."""

    def __init__(self, size: int) -> None:
        self._pieces = [b"1" * _PIECE] * (size // _PIECE) + [b"1" * (size % _PIECE)]
        self._size = size

    def answer(self, main_data: bytes) -> tuple[list[bytes], int]:
        """The pieces of `{"mainData": ..., "additional": "111..."}`, and how many bytes they are."""
        head, tail = b'{"mainData":' + main_data + b',"additional":"', b'"}'
        return [head, *self._pieces, tail], len(head) + self._size + len(tail)


class PeerUser(msgspec.Struct):
    """An answer of another MEC about a user. Its other members are passed on unread."""

    mainData: msgspec.Raw
