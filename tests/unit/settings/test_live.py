# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.platform.config.file import ConfigError, Problem
from submgr.settings.live import LiveSettings, reload
from submgr.settings.loader import load
from submgr.settings.model import Settings


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


def test_a_reload_takes_the_section_meo_and_logs_no_value_of_it(caplog):
    caplog.set_level("INFO")
    live = LiveSettings(load("meo: {maxLoad: 0.8, minKey: 0.1}", {}), {})
    assert live.apply("meo: {maxLoad: 0.5, minKey: 0.1, adminToken: s3cret}")
    assert live.current.meo == {"maxLoad": 0.5, "minKey": 0.1, "adminToken": "s3cret"}
    (reloaded,) = [record for record in caplog.records if record.message == "configuration reloaded"]
    assert reloaded.changed == ["meo.adminToken", "meo.maxLoad"]


def test_a_check_refuses_what_the_program_cannot_use():
    live = LiveSettings(load("meo: {maxLoad: 0.8}", {}), {})
    changes: list[object] = []
    live.on_change(lambda old, new: changes.append(new))

    def check(new: Settings) -> None:
        if new.meo["maxLoad"] > 1:
            raise ConfigError([Problem(None, "meo.maxLoad", "too much")])

    live.check_with(check)
    before = live.current
    assert live.apply("meo: {maxLoad: 2}\nlogger: {level: 4}") is False
    assert (live.current, live.reload_refused, changes) == (before, True, [])
    assert live.apply("meo: {maxLoad: 0.5}") is True
    assert (live.current.meo["maxLoad"], live.reload_refused) == (0.5, False)


def test_a_bug_in_a_reload_is_no_good_file(monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveSettings(load("", {}), {})
    before = live.current

    def buggy(settings: Settings) -> None:
        raise ZeroDivisionError

    live.check_with(buggy)
    with pytest.raises(ZeroDivisionError):
        live.apply("controls: {dbTryCount: 7}")
    assert (live.current, live.reload_refused) == (before, True)


@pytest.mark.parametrize("value", ["2026-02-31", "!unknown 5", ".inf", "&a [*a]", "{a: 1, a: 2}"])
@pytest.mark.parametrize("text", ["mec: {appUrls: %s}", "meo: {rules: %s}", "controls: {dbTryCount: %s}", "%s"])
def test_a_value_that_yaml_cannot_build_refuses_the_file(text: str, value: str) -> None:
    live = LiveSettings(load("", {}), {})
    assert live.apply(text % value) is False
    assert live.apply("controls: {dbTryCount: 7}") is True
