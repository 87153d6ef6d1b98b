# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.platform.config.file import ConfigError, Parsed, inspect
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
