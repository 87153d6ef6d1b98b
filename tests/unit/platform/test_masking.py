# SPDX-License-Identifier: Apache-2.0
from submgr.platform.masking import masked


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
