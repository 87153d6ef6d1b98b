# SPDX-License-Identifier: Apache-2.0
"""`submgr ctl`: what it asks, what it says, and how it ends."""

from __future__ import annotations

import gzip
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Response
from support.cli.platform import Platform
from support.ports import free_port
from support.tls.authority import Authority

from submgr.cli.ctl.main import ctl
from submgr.platform.config.tls import TlsSettings
from submgr.platform.http.server import HttpServer

COMMANDS = ctl.list_commands(click.Context(ctl))
DIFFERENCE = {"What": "e2_record", "Key": "5", "Meid": "gnb_1", "Why": "not in the database", "Repaired": False}
LINES = b'{"format":"submgr-records","version":1}\n{"end":true,"records":0}\n'


def test_differences_are_shown_and_make_the_exit_status_1(daemon: Platform) -> None:
    daemon.answers_with([DIFFERENCE], [{**DIFFERENCE, "Repaired": True}], [])
    shown = daemon.ctl("reconcile", "--dry-run")
    assert (shown.exit_code, shown.stdout) == (1, "e2_record 5 gnb_1: not in the database\n")
    repaired = daemon.ctl("reconcile")
    assert (repaired.exit_code, repaired.stdout) == (0, "e2_record 5 gnb_1: not in the database: repaired\n")
    none = daemon.ctl("reconcile")
    assert (none.exit_code, none.stdout, none.stderr) == (0, "", "no differences\n")
    assert [(method, path) for method, path, *_ in daemon.asked] == [
        ("GET", "reconcile"),
        ("POST", "reconcile"),
        ("POST", "reconcile"),
    ]


def test_what_is_subscribed_is_shown_in_words(daemon: Platform) -> None:
    line = {"SubscriptionId": 7, "Meid": "gnb_1", "RANFunctionID": 2, "Words": "KPM report every 100 ms"}
    event = {"Words": "KPM report every 100 ms", "Content": {"format": 1, "report_period_ms": 100}}
    actions = [{"ActionID": 1, "Definition": {"Words": "00: a placeholder"}}, {"ActionID": 2, "Definition": None}]
    daemon.answers_with([line], {**line, "EventTrigger": event, "Actions": actions})
    assert daemon.ctl("show").stdout == "7\tgnb_1\t2\tKPM report every 100 ms\n"
    assert daemon.ctl("show", "7").stdout.splitlines() == [
        "E2 subscription 7 at gnb_1, RAN function 2",
        "event trigger: KPM report every 100 ms",
        "  format: 1",
        "  report_period_ms: 100",
        "action 1: 00: a placeholder",
        "action 2: no definition",
    ]
    assert [path for _, path, *_ in daemon.asked] == ["contents", "contents/7"]


def test_the_token_comes_from_a_file_or_the_environment(daemon: Platform, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    daemon.answers_with([], [], [])
    daemon.ctl("reconcile", env={"SUBMGR_DEBUG_TOKEN": ""})
    daemon.ctl("reconcile", env={"SUBMGR_DEBUG_TOKEN": "other"})
    daemon.ctl("--token-file", str(file), "reconcile", env={"SUBMGR_DEBUG_TOKEN": "other"})
    assert [token for _, _, token, _ in daemon.asked] == [None, "Bearer other", "Bearer s3cret"]
    missing = daemon.ctl("--token-file", str(tmp_path / "none"), "reconcile")
    assert missing.exit_code == 1
    assert "none" in missing.stderr


def test_a_refusal_is_told_in_its_words(daemon: Platform) -> None:
    errors = [{"field": "line 7", "message": "cannot be read"}]
    daemon.answers_with({"code": 400, "message": "the file has mistakes", "errors": errors}, status=400)
    daemon.answers_with({"code": 401, "message": "a token is needed", "errors": []}, status=401)
    daemon.answers_with(b"<html>", status=502)
    refused = daemon.ctl("import", input=LINES)
    assert refused.exit_code == 1
    assert refused.stderr == "Error: 400: the file has mistakes\n  line 7: cannot be read\n"
    assert "SUBMGR_DEBUG_TOKEN" in daemon.ctl("reconcile").stderr
    assert daemon.ctl("reconcile").stderr == "Error: 502: <html>\n"


def test_nobody_answers() -> None:
    silent = CliRunner().invoke(ctl, ["--server", f"http://127.0.0.1:{free_port()}", "reconcile"])
    assert silent.exit_code == 3
    assert "nobody answers at http://127.0.0.1:" in silent.stderr
    assert "SUBMGR_SERVER" in silent.stderr


def test_another_server_answers(daemon: Platform) -> None:
    daemon.answers_with(b"hello")
    other = daemon.ctl("reconcile")
    assert other.exit_code == 1
    assert "does not answer as a Subscription Manager" in other.stderr


def test_the_server_can_be_in_the_environment(daemon: Platform) -> None:
    daemon.answers_with([])
    environment = {"SUBMGR_SERVER": f"http://127.0.0.1:{daemon.http.port}/"}
    assert CliRunner().invoke(ctl, ["reconcile"], env=environment).exit_code == 0


def test_the_server_can_stand_behind_the_command(daemon: Platform, tmp_path: Path) -> None:
    daemon.answers_with([])
    file = tmp_path / "token"
    file.write_text("s3cret")
    here = f"http://127.0.0.1:{daemon.http.port}"
    arguments = ["--server", "http://127.0.0.1:1", "reconcile", "--server", here, "--token-file", str(file)]
    assert CliRunner().invoke(ctl, arguments).exit_code == 0
    assert daemon.asked[0][2] == "Bearer s3cret"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(ctl, [command, "--help"])
    assert shown.exit_code == 0
    assert "--server" in shown.stdout
    assert CliRunner().invoke(ctl, [command, "--no-such-option"]).exit_code == 2


@pytest.mark.parametrize("name", ["backup.jsonl", "backup.jsonl.gz"])
def test_an_export_goes_to_a_file(daemon: Platform, tmp_path: Path, name: str) -> None:
    daemon.answers_with(LINES)
    file = tmp_path / name
    assert daemon.ctl("export", str(file)).exit_code == 0
    written = file.read_bytes()
    assert (gzip.decompress(written) if name.endswith(".gz") else written) == LINES
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_an_export_to_the_standard_output(daemon: Platform) -> None:
    daemon.answers_with(LINES)
    assert daemon.ctl("export").stdout_bytes == LINES


def test_an_export_that_breaks_off_leaves_no_file(daemon: Platform, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(b"yesterday's")
    daemon.answers_with(LINES[:-10], {"code": 503, "message": "no database", "errors": []}, status=200)
    broken = daemon.ctl("export", str(file))
    assert broken.exit_code == 1
    assert "broke off" in broken.stderr
    assert file.read_bytes() == b"yesterday's"
    assert [each.name for each in tmp_path.iterdir()] == ["backup"]


def test_an_import_is_sent_packed(daemon: Platform, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_bytes(LINES)
    daemon.answers_with(
        {"Records": {"e2_record": 2}, "Skipped": 1, "Restarting": False},
        {"Records": {"e2_record": 2}, "Skipped": 0, "Restarting": True},
    )
    dry = daemon.ctl("import", "--dry-run", "--skip-unreadable", str(file))
    assert dry.stdout == "2 e2_record: could be imported\n1 records cannot be read: skipped\n"
    done = daemon.ctl("import", "--no-wait", str(file))
    assert (done.exit_code, done.stdout) == (0, "2 e2_record: imported\n")
    assert [path for _, path, *_ in daemon.asked] == [
        "import?dryRun=true&skipUnreadable=true",
        "import?dryRun=false&skipUnreadable=false",
    ]
    assert gzip.decompress(daemon.asked[0][3]) == LINES


def test_an_import_waits_for_the_restart(daemon: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submgr.cli.ctl.records.LOOK", 0.0)
    daemon.answers_with({"Records": {}, "Skipped": 0, "Restarting": True})
    daemon.answers_with({}, status=200)
    daemon.answers_with({}, status=503)
    daemon.answers_with({}, status=200)
    done = daemon.ctl("import", input=gzip.compress(LINES))
    assert done.exit_code == 0
    assert "ready again after 0 s" in done.stderr
    assert gzip.decompress(daemon.asked[0][3]) == LINES
    assert [path for _, path, *_ in daemon.asked[1:]] == ["health/ready"] * 3


@pytest.mark.parametrize("command", ["export", "import"])
def test_a_file_that_cannot_be_used(daemon: Platform, tmp_path: Path, command: str) -> None:
    daemon.answers_with(LINES)
    failed = daemon.ctl(command, str(tmp_path / "no" / "file"))
    assert failed.exit_code == 1
    assert "No such file or directory" in failed.stderr


def test_over_https_it_shows_the_certificate_that_is_asked_for(daemon: Platform, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own, operator = authority.issue("localhost"), authority.issue("operator")
    tls = TlsSettings(own.certificate, own.key, authority.ca)
    secure = HttpServer("platform", "127.0.0.1:0", daemon.app, tls=tls.server("platform", required=True))
    secure.start()

    def status(*options: str) -> int:
        daemon.answers = [Response("[]", 200, content_type="application/json")]
        server = f"https://localhost:{secure.port}"
        return CliRunner().invoke(ctl, ["--server", server, *options, "reconcile"]).exit_code

    shown = ("--ca", authority.ca, "--cert", operator.certificate, "--key", operator.key)
    assert status(*shown) == 0
    assert daemon.asked[-1][:2] == ("POST", "reconcile")
    assert status("--ca", authority.ca) != 0
    assert len(daemon.asked) == 1
    assert status() == 3  # the system's authorities have not signed it
    assert status("--ca", "/no/such/file") == 1
    secure.stop(grace=0)
