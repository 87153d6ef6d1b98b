# SPDX-License-Identifier: Apache-2.0
"""`submgr check`: what it says of each kind of file, and how it ends."""

from __future__ import annotations

import codecs
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from submgr.cli.check.command import check

ROOT = Path(__file__).parents[4]
USER = {"imsi": "001010000000001", "subscriptionData": {}}
ROUTES = "newrt|start|one\nmse|12010|-1|e2term:38000\nnewrt|end|1\n"


def checked(tmp_path: Path, text: str | bytes, *options: str, name: str = "file") -> Result:
    """What is said of a file with this content; its path is left out."""
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    result = CliRunner().invoke(check, [*options, str(file)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def lines(tmp_path: Path, result: Result) -> list[str]:
    return result.stdout.replace(f"{tmp_path}/", "").splitlines()


def test_every_mistake_of_a_configuration_has_its_line_and_what_was_meant(tmp_path: Path) -> None:
    text = (
        "controls:\n  e2tSubReqTimeot_ms: 100\nloger:\n  level: 3\nsdl: {backend: redid}\n"
        "mec:\n  enabeld: true\n  network: hom\nmeo:\n  peroid: 3\n"
    )
    result = checked(tmp_path, text)
    assert lines(tmp_path, result) == [
        "file:2: controls.e2tSubReqTimeot_ms: there is no such setting; did you mean e2tSubReqTimeout_ms?",
        "file:3: loger: there is no such setting; did you mean logger?",
        "file:5: sdl.backend: 'redid' is none of redis, sqlite, memory; did you mean redis?",
        "file:7: mec.enabeld: there is no such setting; did you mean enabled?",
        "file:8: mec.network: 'hom' is none of home, foreign; did you mean home?",
        "file:10: meo.peroid: there is no such setting; did you mean period?",
    ]
    assert result.exit_code == 1
    assert result.stderr.endswith("configuration, 6 mistakes: the Subscription Manager does not start with it\n")


def test_what_does_not_keep_the_daemon_from_starting_is_a_mistake_too(tmp_path: Path) -> None:
    result = checked(tmp_path, "controls:\n  e2tMaxSubReqTryCount: 0\n  retires: 3\n")
    assert len(lines(tmp_path, result)) == 2
    assert (result.exit_code, "starts without these" in result.stderr) == (1, True)


@pytest.mark.parametrize("path", ["config/submgr-config.yaml", "helm/submgr/values.yaml"])
def test_shipped_files(path: str) -> None:
    result = CliRunner().invoke(check, [str(ROOT / path)])
    shipped = path.startswith("config")
    assert (result.exit_code == 0, result.stdout == "") == (shipped, shipped)


def test_a_token_that_only_the_process_will_have_is_no_mistake(tmp_path: Path) -> None:
    assert checked(tmp_path, "debug: {write: token}\n").exit_code == 0


def test_no_yaml_at_all_is_told_once(tmp_path: Path) -> None:
    result = checked(tmp_path, "controls: {a: [\n")
    (line,) = lines(tmp_path, result)
    assert line.startswith("file:2: not YAML")


def test_a_secret_of_a_mistaken_url_is_not_shown(tmp_path: Path) -> None:
    result = checked(tmp_path, "mec:\n  proxyUrl: ftp://user:hidden@host\n")
    assert result.exit_code == 1
    assert "hidden" not in result.stdout


def test_every_mistake_of_a_route_table(tmp_path: Path) -> None:
    bad = [f"mse|12020|{'x' * (at % 3 + 1)}|host:4560" for at in range(40)]
    table = ["newrt|start", "rte|12010|host", "mze|12010|5|host:4560", *bad, "mse|1|-1|host:4560", "newrt|end"]
    result = checked(tmp_path, "\n".join(table))
    told = lines(tmp_path, result)
    assert told[:3] == [
        "file:2: 'host' has no port, host:port is expected: rte|12010|host",
        "file:3: 'mze' is no record: mze|12010|5|host:4560; did you mean mse?",
        "file:4: sub id 'x' is no number from -1 on: mse|12020|x|host:4560",
    ]
    assert len(told) == 42
    assert (result.exit_code, "records without a mistake are taken" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("newrt|start\n", "file:1: the table is refused: newrt|end is missing"),
        ("newrt|start\nmse|1|-1|a:1\nnewrt|end|7\n", "file:3: the table is refused: missing table records: expected 7"),
        ("updatert|start\nupdatert|end\n", "file:2: no complete table"),
    ],
)
def test_a_route_table_that_nobody_would_take(tmp_path: Path, text: str, line: str) -> None:
    result = checked(tmp_path, text)
    assert any(each.startswith(line) for each in lines(tmp_path, result)), result.stdout
    assert (result.exit_code, "no table would be taken" in result.stderr) == (1, True)


def test_records_for_other_senders_are_told_and_looked_at_when_one_says_who_is_meant(tmp_path: Path) -> None:
    text = "newrt|start\nmse|1,submgr:4560|-1|nowhere\nnewrt|end\n"
    passed = checked(tmp_path, text)
    assert (passed.exit_code, passed.stdout, "--own" in passed.stderr) == (0, "", True)
    meant = checked(tmp_path, text, "--own", "submgr:4560")
    assert (meant.exit_code, len(lines(tmp_path, meant))) == (1, 1)


def test_every_mistake_of_a_data_file(tmp_path: Path) -> None:
    text = '{"users": [\n {"imis": "001010000000001", "subscriptionData": {}},\n {"imsi": "x", "more": 1}\n],\n'
    result = checked(tmp_path, f'{text}"eus": [\n]}}\n')
    assert [line.partition(" (")[0] for line in lines(tmp_path, result)] == [
        "file:2: users[0].imsi: is missing",
        "file:2: users[0].imis: there is no such member; did you mean imsi?",
        "file:3: users[1].imsi: an IMSI has 1 to 15 digits and nothing else",
        "file:3: users[1].subscriptionData: is missing",
        "file:5: eus: there is no such member; did you mean ues?",
    ]
    assert (result.exit_code, "manager does not start" in result.stderr) == (1, True)


def test_a_data_file_that_is_taken_without_a_list_of_another_name(tmp_path: Path) -> None:
    result = checked(tmp_path, json.dumps({"users": [USER], "eus": []}))
    assert lines(tmp_path, result) == ["file:1: eus: there is no such member; did you mean ues?"]
    assert "taken without these" in result.stderr


def test_mistakes_beyond_the_first_hundred_are_counted(tmp_path: Path) -> None:
    result = checked(tmp_path, json.dumps({"users": [{**USER, "imsi": f"x{at}"} for at in range(300)]}))
    told = lines(tmp_path, result)
    assert (len(told), told[-1]) == (101, "file: and 200 more")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("subscription: {}\n", "configuration"),
        ('{"logger": {"level": 3}}', "configuration"),
        (ROUTES, "route table"),
        (f"# made by hand\n\n{ROUTES}", "route table"),
        (json.dumps({"users": [USER]}), "data file of a MEC"),
        (json.dumps({"mecs": [{"id": 5, "managerAmsUrl": "http://host:8000"}]}), "list of MECs"),
    ],
)
def test_a_file_is_known_by_its_content(tmp_path: Path, text: str, words: str) -> None:
    result = checked(tmp_path, text)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith(f": {words}, no mistake\n")


@pytest.mark.parametrize("coded", [text.encode("utf-16") for text in ("logger: {level: 3}",)] + [codecs.BOM_UTF8])
def test_texts_with_a_byte_order_mark(tmp_path: Path, coded: bytes) -> None:
    assert checked(tmp_path, coded, name="file.yaml").exit_code == 0


def test_one_may_say_what_a_file_is(tmp_path: Path) -> None:
    assert checked(tmp_path, "", "--as", "config").exit_code == 0
    assert checked(tmp_path, "", "--as", "routes").exit_code == 1
    assert checked(tmp_path, "", "--as", "no-such-kind").exit_code == 2


@pytest.mark.parametrize("text", ["", "just text", b"\xff\xfe\x00\x81", b"logger:\n  level: \xff\n"])
def test_what_nobody_knows_or_can_read_is_not_checked(tmp_path: Path, text: str | bytes) -> None:
    result = checked(tmp_path, text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path}/file: ")


def test_a_file_that_is_not_there_does_not_keep_the_others_from_being_checked(tmp_path: Path) -> None:
    bad, missing = tmp_path / "bad.yaml", tmp_path / "missing"
    bad.write_text("logger: {level: 9}\n")
    result = CliRunner().invoke(check, [str(missing), str(tmp_path), str(bad)])
    assert result.exit_code == 2
    assert f"{missing}: No such file or directory" in result.stderr
    assert f"{bad}:1: logger.level: " in result.stdout


def test_the_standard_input() -> None:
    result = CliRunner().invoke(check, ["-"], input="logger:\n  level: 9\n")
    assert result.stdout.startswith("<stdin>:2: logger.level: ")
    assert result.exit_code == 1


def test_characters_that_a_terminal_obeys_are_escaped(tmp_path: Path) -> None:
    result = checked(tmp_path, 'logger: {"le\\evel": 3}\n')
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    assert "\\u001b" in result.stdout
