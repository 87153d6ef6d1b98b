# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest

from submgr.platform.config.file import ConfigError
from submgr.settings.model import LiveSettings, Settings, load, reload

ROOT = Path(__file__).parents[3]

GO_FILE = """
"local":
  "host": ":8080"
"logger":
  "level": 3
"rmr":
  "protPort" : "tcp:4560"
  "maxSize": 8192
  "numWorkers": 1
"rtmgr":
  "hostAddr": "localhost"
  "port"    : "8989"
  "baseUrl" : "/ric/v1"
"db":
  "sessionNamespace": "XMSession"
  "host": ":6379"
  "prot": "tcp"
  "maxIdle": 80
  "maxActive": 12000
"controls":
  "e2tSubReqTimeout_ms": 2000
  "e2tSubDelReqTime_ms": 2500
  "e2tRecvMsgTimeout_ms": 2000
  "e2tMaxSubReqTryCount": 2
  "e2tMaxSubDelReqTryCount": 3
  "checkE2State": "false"
  "readSubsFromDb": "true"
  "dbTryCount": 200
  "dbRetryForever": "true"
  "waitRouteCleanup_ms": 5000
  "checkE2IEOrder": 0
"""

GO_FILE_AS_JSON = """
{"local": {"host": ":8080"}, "logger": {"level": 3},
 "rmr": {"protPort": "tcp:4560", "maxSize": 8192, "numWorkers": 1},
 "rtmgr": {"hostAddr": "localhost", "port": 8989, "baseUrl": "/ric/v1"},
 "db": {"sessionNamespace": "XMSession", "host": ":6379", "port": null, "sentinelPort": "", "masterName": null,
        "clusterAddrList": "", "prot": "tcp", "maxIdle": 80, "maxActive": 12000},
 "controls": {"e2tSubReqTimeout_ms": 2000, "e2tSubDelReqTime_ms": 2500, "e2tRecvMsgTimeout_ms": 2000,
              "e2tMaxSubReqTryCount": 2, "e2tMaxSubDelReqTryCount": 3, "checkE2State": "false",
              "readSubsFromDb": "true", "dbTryCount": 200, "dbRetryForever": "true", "waitRouteCleanup_ms": 5000,
              "checkE2IEOrder": 0}}
"""


@pytest.mark.parametrize("text", [GO_FILE, GO_FILE_AS_JSON, GO_FILE.upper().replace("TRUE", "true")])
def test_the_go_submgrs_file_loads_unchanged(text):
    settings = load(text, {})
    assert settings.warnings == ()
    assert settings.local.listen == ":8080"
    assert settings.subscription.listen == ":8088"
    assert (settings.rmr.port, settings.rmr.max_size, settings.rmr.transport) == (4560, 8192, "wire")
    assert (settings.rtmgr.host.lower(), settings.rtmgr.port, settings.rtmgr.base_url.lower()) == (
        "localhost", 8989, "/ric/v1"
    )  # fmt: skip
    controls = settings.controls
    assert (controls.e2t_sub_req_timeout, controls.e2t_sub_del_req_time) == (2.0, 2.5)
    assert (controls.e2t_max_sub_req_try_count, controls.e2t_max_sub_del_req_try_count) == (2, 3)
    assert (controls.check_e2_state, controls.read_subs_from_db, controls.check_e2_ie_order) == (False, True, False)
    assert (controls.max_ongoing_e2_procedures, controls.ric_requestor_id, controls.on_e2_loss) == (1, 123, "drop")
    assert controls.notification_queue == 10_000


def test_the_shipped_file_says_the_defaults():
    shipped = load((ROOT / "config" / "submgr-config.yaml").read_text(), {})
    assert shipped.warnings == ()
    assert shipped == load("", {})
    assert (shipped.subscription.retry_count, shipped.subscription.retry_delay) == (10, 5.0)
    assert (shipped.debug.write, shipped.sdl.backend) == ("open", "redis")


def test_every_setting_of_the_schema_is_in_the_shipped_file_or_explained():
    text = (ROOT / "config" / "submgr-config.yaml").read_text()
    for section, members in load("", {}).shown.items():
        for name in members:
            assert f'"{name}"' in text, f"{section}.{name}"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("local: {host: '8080:'}", "local.host"),
        ("subscription: {host: 'a:b'}", "subscription.host"),
        ("subscription: {retryCount: 0}", "subscription.retryCount"),
        ("subscription: {retryDelay: 0}", "subscription.retryDelay"),
        ("logger: {level: 5}", "logger.level"),
        ("rmr: {protPort: 'tcp:0'}", "rmr.protPort"),
        ("rmr: {protPort: 'udp:4560'}", "rmr.protPort"),
        ("rmr: {transport: wires}", "rmr.transport"),
        ("rtmgr: {port: 65536}", "rtmgr.port"),
        ("rtmgr: {hostAddr: 'http://x'}", "rtmgr.hostAddr"),
        ("rtmgr: {hostAddr: ''}", "rtmgr.hostAddr"),
        ("rtmgr: {baseUrl: 'ric/v1'}", "rtmgr.baseUrl"),
        ("controls: {e2tSubReqTimeout_ms: 0}", "controls.e2tSubReqTimeout_ms"),
        ("controls: {e2tMaxSubReqTryCount: 0}", "controls.e2tMaxSubReqTryCount"),
        ("controls: {ricRequestorId: 65536}", "controls.ricRequestorId"),
        ("controls: {onE2Loss: forget}", "controls.onE2Loss"),
        ("controls: {maxOngoingE2Procedures: 0}", "controls.maxOngoingE2Procedures"),
        ("controls: {checkE2State: 'maybe'}", "controls.checkE2State"),
        ("sdl: {backend: dict}", "sdl.backend"),
        ("sdl: {paht: x}", "sdl.paht"),
        ("debug: {wirte: x}", "debug.wirte"),
        ("debug: {write: token}", "debug.write"),
        ("debug: {tokenFile: /no/such/file}", "debug.tokenFile"),
        ("metrics: {namespace: 'a-b'}", "metrics.namespace"),
    ],
)
def test_each_mistake_names_its_setting_and_line(text, path):
    with pytest.raises(ConfigError) as caught:
        load(f"# a comment\n{text}\n", {})
    assert [problem.path for problem in caught.value.problems] == [path]
    assert caught.value.problems[0].line == 2


def test_mistakes_of_all_kinds_come_together():
    with pytest.raises(ConfigError) as caught:
        load("controls:\n  onE2Loss: x\n  dbTryCuont: 1\ndebug: {write: token}\n", {})
    assert [str(problem).partition(": ")[0] for problem in caught.value.problems] == ["line 2", "line 3", "line 4"]
    assert "did you mean dbTryCount?" in str(caught.value)


def test_the_token_comes_from_the_file_a_file_of_its_own_or_the_environment(tmp_path):
    (tmp_path / "token").write_text("from-file\n")
    env = {"SUBMGR_DEBUG_TOKEN": "from-env"}
    assert load("debug: {write: token}", env).debug.token == "from-env"
    own = f"debug: {{write: token, tokenFile: '{tmp_path / 'token'}'}}"
    assert load(own, env).debug.token == "from-file"
    assert load("debug: {write: token, token: given}", env).debug.token == "given"


def test_the_shown_configuration_is_in_the_files_terms_and_hides_secrets():
    text = "debug: {write: token, token: s3cret}\nmec: {dbPassword: s3cret, mecId: 5}\n"
    settings = load(f"{text}controls: {{e2tSubReqTimeout_ms: 1234}}", {})
    shown = settings.masked()
    assert shown["controls"]["e2tSubReqTimeout_ms"] == 1234
    assert shown["rmr"]["protPort"] == "tcp:4560"
    assert shown["mec"] == {"dbPassword": "******", "mecId": 5}
    assert "s3cret" not in str(shown)
    assert "s3cret" not in str(load("debug: {write: token}", {"SUBMGR_DEBUG_TOKEN": "s3cret"}).masked())
    assert settings.mec == {"dbPassword": "s3cret", "mecId": 5}


def test_overrides_of_the_command_line_win():
    settings = load("sdl: {backend: redis}", {}, {"sdl.backend": "memory", "rmr.protPort": 4999})
    assert (settings.sdl.backend, settings.rmr.port) == ("memory", 4999)


def test_settings_are_frozen():
    settings = load("", {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.controls.on_e2_loss = "restore"  # type: ignore[misc]


def test_a_reload_takes_level_and_controls_and_names_what_needs_a_restart():
    old = load("", {})
    text = "logger: {level: 4}\ncontrols: {onE2Loss: restore}\n"
    text += "rtmgr: {port: 1}\nmec: {enabled: true}\nlocal: {host: ':1'}"
    new, waiting = reload(old, text, {}).settings, reload(old, text, {}).need_restart
    assert (new.logger.level, new.controls.on_e2_loss) == (4, "restore")
    assert (new.rtmgr, new.local, new.mec) == (old.rtmgr, old.local, old.mec)
    assert set(waiting) == {"rtmgr.port", "local.host", "mec.enabled"}
    assert new.masked()["controls"]["onE2Loss"] == "restore"
    assert new.masked()["rtmgr"]["port"] == 3800


def test_live_settings_are_swapped_as_a_whole_and_watchers_told(caplog):
    caplog.set_level("INFO")
    live = LiveSettings(load("", {}), {})
    changes: list[tuple[Settings, Settings]] = []
    live.on_change(lambda old, new: changes.append((old, new)))
    before = live.current
    assert live.apply("controls: {e2tMaxSubReqTryCount: 5}\nunknown: 1")
    assert changes == [(before, live.current)]
    assert live.current.controls.e2t_max_sub_req_try_count == 5
    records = {record.message: record for record in caplog.records}
    assert records["configuration reloaded"].changed == ["controls.e2t_max_sub_req_try_count: 2 -> 5"]
    assert "unknown" in records["configuration"].warning


def test_a_bad_file_is_refused_and_the_old_values_stay_until_a_good_one_comes(caplog):
    live = LiveSettings(load("controls: {dbTryCount: 7}", {}), {})
    changes: list[object] = []
    live.on_change(lambda old, new: changes.append(new))
    before = live.current
    assert live.apply("controls: {dbTryCount: no}\nsdl: {x: 1}") is False
    assert (live.current, live.reload_refused, changes) == (before, True, [])
    (refusal,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(refusal.problems) == 2
    assert live.apply("not: [yaml") is False
    assert live.apply("controls: {dbTryCount: 8}") is True
    assert (live.current.controls.db_try_count, live.reload_refused) == (8, False)
