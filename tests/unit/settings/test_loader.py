# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from submgr.platform.config.file import ConfigError
from submgr.settings.loader import load
from submgr.settings.model import HighAvailability

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
    both = load(f"debug: {{write: token, token: given, tokenFile: '{tmp_path / 'token'}'}}", env).debug
    assert (both.token, both.token_file) == ("given", "")


def test_overrides_of_the_command_line_win():
    settings = load("sdl: {backend: redis}", {}, {"sdl.backend": "memory", "rmr.protPort": 4999})
    assert (settings.sdl.backend, settings.rmr.port) == ("memory", 4999)


@pytest.mark.parametrize(
    ("given", "attribute", "used", "shown"),
    [
        ("e2tSubReqTimeout_ms: 0", "e2t_sub_req_timeout", 2.0, "2000"),
        ("e2tSubDelReqTime_ms: '0'", "e2t_sub_del_req_time", 2.0, "2000"),
        ("e2tMaxSubReqTryCount: 0", "e2t_max_sub_req_try_count", 1, "1"),
        ("e2tMaxSubDelReqTryCount: ''", "e2t_max_sub_del_req_try_count", 1, "1"),
        ("dbTryCount: 0", "db_try_count", 200, "200"),
        ("checkE2State: ''", "check_e2_state", True, "True"),
        ("readSubsFromDb: ''", "read_subs_from_db", True, "True"),
        ("dbRetryForever: ''", "db_retry_forever", True, "True"),
    ],
)
def test_a_value_that_the_go_submgr_replaces_is_replaced_with_a_warning(given, attribute, used, shown) -> None:
    settings = load(f"controls: {{{given}}}", {})
    assert getattr(settings.controls, attribute) == used
    (warning,) = settings.warnings
    assert warning.path == f"controls.{given.partition(':')[0]}" and f"{shown} is used" in warning.message


@pytest.mark.parametrize("given", ["e2tRecvMsgTimeout_ms: 0", "waitRouteCleanup_ms: 0"])
def test_a_setting_without_effect_is_no_reason_not_to_start(given: str) -> None:
    assert load(f"controls: {{{given}}}", {}).controls == load("", {}).controls


def test_a_switched_off_truth_value_is_a_value() -> None:
    assert load("controls: {checkE2State: 0, readSubsFromDb: 'false'}", {}).controls.check_e2_state is False


@pytest.mark.parametrize(
    ("given", "default", "of_2", "of_3"),
    [("'true'", True, True, True), ("false", False, False, False), ("{default: true, 2: false}", True, False, True)],
)
def test_merging_is_a_truth_value_or_one_for_each_ran_function(given, default, of_2, of_3) -> None:
    merging = load(f"controls: {{mergeSubscriptions: {given}}}", {}).controls.merge_subscriptions
    assert merging.default is default
    assert [merging.by_function.get(n, merging.default) for n in (2, 3)] == [of_2, of_3]


@pytest.mark.parametrize(
    ("given", "patterns"), [("answer", ()), ("sent", ("*",)), ("{gnb_7*: sent, gnb_8: answer}", ("gnb_7*",))]
)
def test_whose_deletes_do_not_wait(given, patterns) -> None:
    assert load(f"controls: {{deleteWaits: {given}}}", {}).controls.silent_nodes == patterns


@pytest.mark.parametrize(
    "given", ["mergeSubscriptions: {x: true}", "mergeSubscriptions: {2: maybe}", "deleteWaits: {gnb: never}"]
)
def test_mistakes_in_them_are_told(given: str) -> None:
    with pytest.raises(ConfigError):
        load(f"controls: {{{given}}}", {})


@pytest.mark.parametrize(
    ("tls", "wrong"),
    [
        ("{cert: /c, ownership: true}", "tls.ownership"),
        ("{cert: /c, clientCa: /a, listeners: [platform], ownership: true}", "tls.ownership"),
        ("{clientCa: /a}", "tls.clientCa"),
        ("{cert: /c, listeners: [xap]}", "tls.listeners"),
        ("{certificate: /c}", "tls.certificate"),
    ],
)
def test_tls_settings_that_do_not_fit_together(tls: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(f"tls: {tls}", {})
    assert [problem.path for problem in refused.value.problems] == [wrong]


def test_tls_settings() -> None:
    settings = load("tls: {cert: /c, key: /k, clientCa: /a, listeners: xapp, ownership: 'true'}", {}).tls
    assert (settings.has("xapp"), settings.has("platform"), settings.asks("xapp")) == (True, False, True)
    assert load("", {}).tls.server("xapp") is None


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
def test_a_hot_standby_needs_redis(backend: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(f"sdl:\n  backend: {backend}\nha:\n  enabled: true\n", {})
    (problem,) = refused.value.problems
    assert (problem.line, problem.path) == (4, "ha.enabled")
    assert "redis" in problem.message


def test_a_hot_standby_is_off_by_default_and_has_a_lease_of_three_seconds() -> None:
    assert load("", {}).ha == HighAvailability(False, 3.0, "")
    assert load("ha: {enabled: true, leaseSeconds: 5, identity: submgr-1}", {}).ha == HighAvailability(
        True, 5.0, "submgr-1"
    )
