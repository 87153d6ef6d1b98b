# SPDX-License-Identifier: Apache-2.0
"""Credentials of platforms in files: the database keeps `{"secret": NAME}`, which names a file of one directory.

The directory is that of a mounted Secret. Whoever registers a platform says where its credentials are sent, so that no
other files can be named.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from mec.meo.drivers.base import DriverError
from mec.meo.model import Platform
from submgr.platform.secret_file import secret_file

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


def mistake(credentials: Any, directory: str) -> str | None:
    """What is wrong with the credentials in a request, or None. `directory` "": there are no files."""
    reference = _reference(credentials)
    if reference is not None:
        return None if directory else "must not name a secret: meo.credentialsDir is not set"
    if not directory or not credentials or credentials == {"inCluster": True}:
        return None
    return 'must be {"secret": NAME}: with meo.credentialsDir none are kept in the database'


def with_credentials(platform: Platform, directory: str) -> Platform:
    """The platform with the credentials of its file as they are now. Raises DriverError.

    A file has what a request would have: a JSON object, or else a token.
    """
    name = _reference(platform.credentials)
    if name is None:
        return platform
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not directory:
        raise DriverError("the credentials name no secret of meo.credentialsDir")
    try:
        text = secret_file(str(Path(directory) / name)).text()
    except (OSError, ValueError) as exc:
        raise DriverError(f"the secret {name} of meo.credentialsDir cannot be read") from exc
    return replace(platform, credentials=_content(text))


def _reference(credentials: Any) -> Any:
    return credentials.get("secret") if isinstance(credentials, Mapping) else None


def _content(text: str) -> Any:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text
    return value if isinstance(value, dict) else text
