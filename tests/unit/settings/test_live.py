# SPDX-License-Identifier: Apache-2.0
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
