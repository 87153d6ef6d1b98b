# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from submgr.platform.config.file import MOST_PROBLEMS, ConfigError, Parsed, inspect, read_text
from submgr.platform.config.schema import Key, Section
from submgr.platform.config.values import mapping, milliseconds, one_of, text, truth, whole

SCHEMA = Section(
    "",
    (
        Section(
            "old",
            (Key("tryCount", whole(1, 9), 2), Key("wait_ms", milliseconds(0, 9000), 1.5), Key("on", truth, True)),
        ),
        Section(
            "new",
            (
                Key("name", text, ""),
                Key("mode", one_of("open", "off"), "open"),
                Section("deep", (Key("x", text),)),
            ),
            strict=True,
        ),
        Section("any", open=True),
        Key("top", mapping, {}),
    ),
)


def parse(content: str) -> Parsed:
    parsed, errors = inspect(content, SCHEMA)
    if errors:
        raise ConfigError.of(errors, parsed.warnings)
    return parsed


def problems(content: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(content)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("content", ["", "{}", "---\n", "old:\nnew: null\n", '{"old": {"TRYCOUNT": null}}'])
def test_what_is_absent_or_null_has_its_default(content):
    assert parse(content).values == {
        "old": {"tryCount": 2, "wait_ms": 1.5, "on": True},
        "new": {"name": "", "mode": "open", "deep": {"x": None}},
        "any": {},
        "top": {},
    }


def test_keys_in_any_letter_case_and_values_in_quotes():
    content = """{"OLD": {"trycount": "3", "Wait_MS": " 250 ", "ON": "False"},
                  "new": {"MODE": "OFF", "name": 7}, "ANY": {"Kept": 1}}"""
    values = parse(content).values
    assert values["old"] == {"tryCount": 3, "wait_ms": 0.25, "on": False}
    assert (values["new"]["mode"], values["new"]["name"], values["any"]) == ("off", "7", {"Kept": 1})
    assert parse("new: {mode: off}").values["new"]["mode"] == "off"  # YAML 1.1 reads a truth value there


def test_all_mistakes_come_together_with_their_lines_and_what_may_have_been_meant():
    assert problems(
        "old:\n  tryCount: many\n  wait_ms: -1\n  tryCuont: 3\n"
        "new:\n  nmae: x\n  mode: opne\n  deep: [1]\n"
        "nwe: {}\n"
        "mode: off\n"
    ) == [
        "line 2: old.tryCount: 'many' is not a whole number",
        "line 3: old.wait_ms: -1 is not between 0 and 9000",
        "line 4: old.tryCuont: there is no such setting; did you mean tryCount?",
        "line 6: new.nmae: there is no such setting; did you mean name?",
        "line 7: new.mode: 'opne' is none of open, off; did you mean open?",
        "line 8: new.deep: new.deep must be a mapping of settings",
        "line 9: nwe: there is no such setting; did you mean new?",
        "line 10: mode: there is no such setting; did you mean new.mode?",
    ]


def test_an_unknown_key_is_a_warning_in_an_old_section_and_an_error_in_a_new_one():
    parsed = parse("old: {extra: 1}\nother: 2\nany: {x: 3}\n")
    assert [str(warning) for warning in parsed.warnings] == [
        "line 1: old.extra: there is no such setting",
        "line 2: other: there is no such setting",
    ]
    assert problems("new: {extra: 1}\n") == ["line 1: new.extra: there is no such setting"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: b: c", "line 1: not YAML: mapping values are not allowed here"),
        ("old: {\n", "line 2: not YAML: "),
        ("\told: 1", "line 1: not YAML: "),
        ("old: \x00", "not YAML: "),
        ("just text", "line 1: the file must be a mapping"),
        ("- 1\n", "line 1: the file must be a mapping"),
        ("old: 5\n", "line 1: old: old must be a mapping"),
        ("old: {on: 1, ON: 0}", "line 1: old.ON: given twice"),
        ("? [1]\n: 2\nnew: {? {a: 1} : 2}", "new.?: there is no such setting"),
        ("top: &a {b: *a}\n", "line 1: top: too large, or it contains itself"),
        ("top: !!python/object/apply:os.system ['true']\n", "line 1: top: not a usable value"),
        ("top: {2001-99-99: x}\n", "line 1: top: not a usable value"),
        ("top: 5\n", "line 1: top: 5 is not a mapping"),
        ("new: {name: [1]}", "line 1: new.name: [1] is not a text"),
        ("old: {on: perhaps}", "line 1: old.on: 'perhaps' is neither true nor false"),
        ("[" * 5000, "not YAML: "),
    ],
)
def test_what_is_not_a_configuration_is_said_in_words(content, message):
    assert message in "\n".join(problems(content))


def test_aliases_of_aliases_do_not_blow_up():
    bomb = "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, 30))
    assert "too large" in "\n".join(problems(f"top:\n  {bomb.replace(chr(10), chr(10) + '  ')}"))
    assert "larger than" in problems(" " * 5_000_000)[0]


def test_overrides_win_and_are_checked():
    parsed, errors = inspect("old: {tryCount: 3}", SCHEMA, {"old.tryCount": "4", "new.deep.x": "y"})
    assert (parsed.values["old"]["tryCount"], parsed.values["new"]["deep"]["x"], errors) == (4, "y", [])
    _, errors = inspect("", SCHEMA, {"old.tryCount": "0"})
    assert [str(error) for error in errors] == ["old.tryCount: 0 is not between 1 and 9"]
    with pytest.raises(KeyError):
        inspect("", SCHEMA, {"old.nothing": 1})


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-31",
        "2026-02-28",
        "!unknown 5",
        "!!python/object/apply:os.system ['true']",
        "!!binary c2VjcmV0",
        "!!set {a, b}",
        "!!int many",
        "!!float x",
        "!!timestamp 2026",
        ".inf",
        "-.INF",
        ".nan",
        "1.0e+999",
        "9" * 5000,
        "{a: 1, a: 2}",
        "{[1]: 2}",
        "&self [*self]",
    ],
)
@pytest.mark.parametrize("place", ["old: {tryCount: %s}", "any: {name: %s}", "any: {deep: {list: [1, %s]}}"])
def test_a_value_that_yaml_cannot_build_is_said_in_words(place: str, value: str) -> None:
    (problem,) = problems(place % value)
    assert problem.startswith(("line 1: old.tryCount: ", "line 1: any.name: ", "line 1: any.deep: "))


@pytest.mark.parametrize("content", ["[" * 20_000, "- " * 20_000, "{a: " * 20_000, "a: &a [" + "*a, " * 20_000])
def test_no_depth_and_no_repetition_ends_the_process(content: str) -> None:
    assert problems(content)


def test_a_large_text_is_read_as_a_small_one_is() -> None:
    filler = "".join(f"# {'x' * 70}\n" for _ in range(300))
    assert parse(f"{filler}top: {{a: 1}}\n").values["top"] == {"a": 1}
    assert "line 301: old.tryCount: not a usable value" in problems(f"{filler}old: {{tryCount: 2026-02-31}}")[0]
    assert problems(f"{filler}a: b: c")[0].startswith("line 301: not YAML")
    assert "more than 50000 values" in problems("any: {a: [" + "1, " * 60_000 + "1]}")[0]


def test_a_merge_key_takes_over_what_is_not_given() -> None:
    parsed = parse("any: {base: &base {a: 1, b: 2}}\ntop: {<<: *base, b: 3}\n")
    assert parsed.values["top"] == {"a": 1, "b": 3}
    assert "<< needs a mapping" in problems("any: {<<: 5}")[0]


def test_many_mistakes_are_told_shortly() -> None:
    content = "new:\n" + "".join(f"  nmae{number}: x\n" for number in range(5000))
    told = problems(content)
    assert len(told) == MOST_PROBLEMS + 1
    assert told[-1] == "line 102: and 4900 more"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "file"
    file.write_bytes("top: {ä: 1}".encode(encoding))
    assert read_text(file) == "top: {ä: 1}"


def test_what_is_no_text_or_too_long_is_said_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    contents = [(b"a: \xff", "can't decode"), (b"\xff\xfea", "truncated data"), (b"1234567", "larger than 6")]
    for content, message in contents:
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=message):
            read_text(file, 6)
    with pytest.raises(ConfigError, match=f"configuration file {tmp_path}: Is a directory"):
        read_text(tmp_path)
