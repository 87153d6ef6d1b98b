# SPDX-License-Identifier: Apache-2.0
"""Reads the data file, and makes and reads answers with the data of a user."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from mec.common import imsi as imsis
from mec.common.ids import app_id, mec_id
from mec.common.relaxed_json import DIALECT, check, parse
from mec.manager.model import DataFile, FormerUse, User
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.http.json_fields import MAX_MISTAKES, Fields, Mistakes, an_object

_DIALECT = replace(DIALECT, limit=MAX_MISTAKES)
_PIECE = 256 * 1024


def data_file(text: str) -> DataFile:
    """Reads `{"users": [{"imsi", "subscriptionData"}], "ues": [{"imsi", "mecId", "appId", "state"}]}`.

    Both lists may be absent; other members are ignored. Raises ConfigError with all mistakes.
    """
    content = parse(text)
    if not isinstance(content, dict):
        raise ConfigError([Problem(1, "", 'must be an object with "users" and "ues"')])
    # null instead of a list counts as absent, unlike null within its objects
    fields = Fields({name: value for name, value in content.items() if value is not None}, "", Mistakes(_DIALECT))
    users = {index: _user(user) for index, user in fields.children("users")}
    ues = [_use(use) for _, use in fields.children("ues")]
    _check_unique(fields, users)
    check(text, fields.mistakes)
    return DataFile(tuple(users.values()), tuple(ues))


def _user(fields: Fields) -> User:
    return User(
        imsi=fields.need("imsi", imsis.parse, ""),
        data=fields.need("subscriptionData", an_object, {}),
    )


def _use(fields: Fields) -> FormerUse:
    return FormerUse(
        imsi=fields.need("imsi", imsis.parse, ""),
        mec_id=fields.need("mecId", mec_id, 0),
        app_id=fields.need("appId", app_id, ""),
        state=fields.need("state", msgspec.json.encode, b""),
    )


def _check_unique(fields: Fields, users: Mapping[int, User]) -> None:
    """Notes users that are in the file more than once."""
    seen: set[str] = set()
    for index, user in users.items():
        if user.key and user.key in seen:
            fields.wrong(f"users[{index}].imsi", "this user is in the file already")
        seen.add(user.key)


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
