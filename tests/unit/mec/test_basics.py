# SPDX-License-Identifier: Apache-2.0
"""IMSIs and how the log hides them, ids, settings, files that people write, records."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mec.common import ids, imsi, relaxed_json, settings
from mec.common.log_masking import IdentityMask, mask_text
from mec.common.program import store_of
from mec.common.records import Records
from submgr.platform.config.file import ConfigError
from submgr.platform.store.base import Change
from submgr.platform.store.memory import MemoryStore
from submgr.platform.store.redis import SdlStore
from submgr.platform.store.sqlite import SqliteStore

IMSI = "001010123456789"


@pytest.mark.parametrize("given", ["001010000000001", 1010000000001, "1010000000001", " 1010000000001 "])
def test_spellings_of_one_imsi(given: Any) -> None:
    assert imsi.same(imsi.parse(given), "001010000000001")


@pytest.mark.parametrize(
    "given",
    ["", "12345678901234567", "1" * 16, "00101000000000a", "-5", "1.5", True, None, 1.0, [], "٣٣٣٣٣٣", "0", 10**20],
)
def test_what_is_no_imsi(given: Any) -> None:
    with pytest.raises(ValueError) as refused:
        imsi.parse(given)
    assert "00101" not in str(refused.value)


def test_number_of_thousands_of_digits() -> None:
    with pytest.raises(ValueError):
        imsi.parse(10**5000)


def test_shown_as_a_number_unless_a_zero_is_lost() -> None:
    assert imsi.shown("12345678901") == 12345678901
    assert imsi.shown("001010000000001") == "001010000000001"


@pytest.mark.parametrize(
    ("given", "masked"),
    [("001010123456789", "00101********89"), ("12345678901", "12345****01"), ("1234567", "12*****")],
)
def test_masked(given: str, masked: str) -> None:
    assert imsi.masked(given) == masked


@pytest.mark.parametrize(
    "text",
    [f"GET /ues/{IMSI} HTTP/1.1", f"imsi={IMSI}", f'{{"imsi": {IMSI}}}', f"'imsi': '{IMSI}'", f"imsi%3D{IMSI}", IMSI,
     f"/app/state/?imsi={IMSI}&mecId=5"],
)  # fmt: skip
def test_imsi_in_any_text_is_hidden(text: str) -> None:
    assert IMSI not in mask_text(text) and "00101********89" in mask_text(text)


def test_short_imsi_is_hidden_where_it_is_named() -> None:
    assert mask_text("GET /manager/user/data/?imsi=1234567890 HTTP") == "GET /manager/user/data/?imsi=12345***90 HTTP"


@pytest.mark.parametrize("text", ["at 1795534546213 ms", "3.1415926535897932", "gnb_208_092_000001", "id 12345678"])
def test_other_numbers_stay(text: str) -> None:
    assert mask_text(text) == text


def record(level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("x", level, "f", 1, "request %s failed", (f"/ues/{IMSI}",), None)
    for name, value in extra.items():
        setattr(made, name, value)
    return made


def test_log_records_are_masked_in_all_their_parts() -> None:
    made = record(imsi="1234567890", url=f"http://x/?imsi={IMSI}", number=int("310150123456789"), list=[IMSI], n=5)
    try:
        raise ValueError(f"imsi={IMSI}")
    except ValueError as exc:
        made.exc_info = (type(exc), exc, exc.__traceback__)
    assert IdentityMask().filter(made)
    text = logging.Formatter("%(message)s").format(made) + repr(vars(made))
    assert IMSI not in text and "1234567890" not in text and "310150123456789" not in text
    assert made.n == 5  # type: ignore[attr-defined]


def test_in_full_at_debug_level_only() -> None:
    debug, info = record(logging.DEBUG), record()
    for made in (debug, info):
        IdentityMask(in_full=True).filter(made)
    assert IMSI in debug.getMessage() and IMSI not in info.getMessage()


@given(st.text())
def test_hiding_takes_any_text(text: str) -> None:
    mask_text(text)


def test_ids() -> None:
    assert ids.app_id(12345) == ids.app_id("12345") == "12345"
    assert ids.mec_id("5") == 5
    for wrong in ("", "a b", "x" * 65, True, 1.5, None, "é"):
        with pytest.raises(ValueError):
            ids.app_id(wrong)
    for wrong in ("", "-1", "x", True, 1.5, None):
        with pytest.raises(ValueError):
            ids.mec_id(wrong)


def test_defaults() -> None:
    found = settings.from_mapping(None)
    assert (found.host, found.network, found.mec_id, found.home_mec_id) == (":8000", "home", 5, 5)
    assert (found.additional_bytes, found.log_identities, found.enabled) == (1_000_000, False, False)


def test_everything_set() -> None:
    found = settings.from_mapping(
        {"enabled": "true", "network": "foreign", "mecId": 9, "homeMecId": 4, "proxyUrl": "http://p:5000/",
         "appUrls": {12345: "http://a:1"}, "dataFile": "d.json", "additionalBytes": 10, "logIdentities": True}
    )  # fmt: skip
    assert found.foreign and found.mec_id == 9 and found.app_urls == {"12345": "http://a:1"}
    assert found.proxy_url == "http://p:5000"


def test_all_mistakes_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        settings.from_mapping(
            {"network": "elsewhere", "mecId": -1, "proxyUrl": "ftp://x", "appUrls": {"1": "nonsense"}, "host": "x",
             "mecID2": 1}
        )  # fmt: skip
    text = str(refused.value)
    for name in ("mec.network", "mec.mecId", "mec.proxyUrl", "mec.appUrls", "mec.host", "mec.mecID2"):
        assert name in text


def test_foreign_mec_is_not_its_own_home() -> None:
    with pytest.raises(ConfigError, match="ask itself"):
        settings.from_mapping({"network": "foreign", "mecId": 5})


@pytest.mark.parametrize(
    ("content", "environment", "kind"),
    [
        ("", {}, SqliteStore),
        ("", {"DBAAS_SERVICE_HOST": "redis"}, SdlStore),
        ("sdl: {backend: redis}", {}, SdlStore),
        ("sdl: {backend: memory}", {"DBAAS_SERVICE_HOST": "redis"}, MemoryStore),
        ("sdl: {backend: sqlite, path: a/b.db}", {"DBAAS_SERVICE_HOST": "redis"}, SqliteStore),
    ],
)
def test_store_by_file_and_environment(content: str, environment: dict[str, str], kind: type) -> None:
    assert isinstance(store_of(settings.load(content), environment, "controller-home"), kind)


@pytest.mark.parametrize("text", ['{"a": [1, 2,],}', '{"a": [1,\n 2 ,\n ] \n, }', '{"a": [1, 2]}'])
def test_comma_before_a_closing_bracket(text: str) -> None:
    assert relaxed_json.parse(text) == {"a": [1, 2]}


def test_commas_in_texts_stay() -> None:
    assert relaxed_json.parse('{"a": ",]", "b": "\\",}"}') == {"a": ",]", "b": '",}'}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(values)
def test_plain_json_is_read_as_it_is(value: Any) -> None:
    assert relaxed_json.parse(json.dumps(value)) == value


@pytest.mark.parametrize(("text", "line"), [('{"a": 1\n"b": 2}', 2), ("", 1), ('{"a":\n\n NaN}', None), ("[1, 2", 1)])
def test_what_is_not_json_is_told_by_its_line(text: str, line: int | None) -> None:
    with pytest.raises(ConfigError) as refused:
        relaxed_json.parse(text)
    assert refused.value.problems[0].line == line


def test_lines_of_values() -> None:
    text = '{\n\t"users": [\n\t\t{"imsi": 1},\n\t\t{"imsi":\n\t\t\t"x,]"},\n\t],\n}'
    assert relaxed_json.line_of(text, ("users", 0, "imsi")) == 3
    assert relaxed_json.line_of(text, ("users", 1, "imsi")) == 5
    assert relaxed_json.line_of(text, ("users", 1, "missing")) == 4
    assert relaxed_json.steps("users[1].imsi") == ("users", 1, "imsi")


def test_records(store: MemoryStore) -> None:
    records = Records(store, "mec_ues", dict, "a/")
    other = Records(store, "mec_ues", dict, "b/")
    records.save("1", {"x": 1})
    other.save("1", {"x": 2})
    assert (records.load(), other.load()) == ({"1": {"x": 1}}, {"1": {"x": 2}})
    records.remove("1")
    assert records.load() == {}


def test_unreadable_record_is_left_and_counted(store: MemoryStore) -> None:
    store.write(Change("mec_ues", {"a/bad": b"{", "a/good": b'{"x":1}'}))
    records = Records(store, "mec_ues", dict, "a/")
    assert records.load() == {"good": {"x": 1}}
    assert records.unreadable == 1
    assert "a/bad" in store.keys("mec_ues")
