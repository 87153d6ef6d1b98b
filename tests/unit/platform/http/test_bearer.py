# SPDX-License-Identifier: Apache-2.0
"""Which requests bear a token."""

import pytest
from flask import Flask

from submgr.platform.http.app import ApiError
from submgr.platform.http.bearer import bears, require_token


def borne(authorization: str | None, tokens: list[str | None]) -> bool:
    headers = {} if authorization is None else {"Authorization": authorization.encode().decode("latin-1")}
    with Flask(__name__).test_request_context("/", headers=headers):
        return bears(tokens)


@pytest.mark.parametrize("authorization", ["Bearer two", "bearer two", "BEARER  two ", "Bearer geheim-ü"])
def test_a_token_is_borne(authorization: str) -> None:
    assert borne(authorization, ["one", "two", None, "geheim-ü"])


@pytest.mark.parametrize(
    "authorization", [None, "", "two", "Basic two", "Bearer", "Bearer ", "Bearer tw", "Bearer two x", "Bearer Two"]
)
def test_no_token_is_borne(authorization: str | None) -> None:
    assert not borne(authorization, ["one", "two", "", None])


def test_nobody_bears_an_absent_token() -> None:
    assert not borne("Bearer ", [])
    assert not borne("Bearer ", [""])
    assert not borne("Bearer None", [None])


@pytest.mark.parametrize("tokens", [[], [None], [""]])
def test_without_tokens_anybody_may_ask(tokens: list[str | None]) -> None:
    with Flask(__name__).test_request_context("/"):
        require_token(tokens)


def test_a_missing_token_is_a_401() -> None:
    with Flask(__name__).test_request_context("/"), pytest.raises(ApiError, match="a bearer token is needed") as caught:
        require_token(["one"])
    assert (caught.value.status, caught.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
