# SPDX-License-Identifier: Apache-2.0
import time
import timeit

import pytest

from submgr.platform.masking import is_secret, masked, masked_text


def test_secrets_are_masked_wherever_they_are():
    config = {"debug": {"token": "t", "write": "open"}, "list": [{"dbPassword": "p", "x": 1}]}
    config["meo"] = {"Credentials": {}}
    assert masked(config) == {
        "debug": {"token": "******", "write": "open"},
        "list": [{"dbPassword": "******", "x": 1}],
        "meo": {"Credentials": "******"},
    }
    assert masked({"token": "", "secret": None}) == {"token": "", "secret": None}
    assert config["debug"]["token"] == "t"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://mec:s3cret@proxy:5000/x", "http://******@proxy:5000/x"),
        ("https://token@proxy", "https://******@proxy"),
        ("http://u:p@ss'w@proxy refused, http://a:b@c too", "http://******@proxy refused, http://******@c too"),
        ('{"url": "http://u:a\\"b@proxy", "mail": "x@y"}', '{"url": "http://******@proxy", "mail": "x@y"}'),
        ("http://hook/x?id=1&access_token=abc&to=b@c", "http://hook/x?id=1&access_token=******&to=b@c"),
        ("http://hook/mail@x", "http://hook/mail@x"),
        ("redis://:pw@db:6379/0", "redis://******@db:6379/0"),
        ("token=abc is no URL", "token=abc is no URL"),
    ],
)
def test_secrets_in_urls_are_masked_wherever_a_text_has_them(text: str, shown: str) -> None:
    assert masked_text(text) == shown
    assert masked({"mec": {"appUrls": {"a": text}, "list": [text]}}) == {
        "mec": {"appUrls": {"a": shown}, "list": [shown]}
    }


def test_the_name_of_a_file_is_no_secret() -> None:
    assert is_secret("adminToken")
    assert not is_secret("adminTokenFile")
    assert not is_secret("credentialsDir")


@pytest.mark.parametrize(
    "text",
    [
        "&" + "token" * 20_000 + "=",
        ("&" + "token" * 20) * 1000 + "=",
        "://" * 30_000,
        "x://" + "a\\b" * 30_000,
        "&a" * 50_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Twice as much text takes twice as long: the peers' words are in the log, too."""
    own = time.process_time  # whatever else the machine does meanwhile
    seconds = [min(timeit.repeat(lambda n=n: masked_text(text * n), timer=own, number=1, repeat=3)) for n in (1, 4)]
    assert seconds[1] < 4 * 4 * max(seconds[0], 0.001)
