# SPDX-License-Identifier: Apache-2.0
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from submgr.platform.config.schema import Key, Section
from submgr.settings.controls import Controls
from submgr.settings.loader import load
from submgr.settings.model import RELOADED, SCHEMA, Rmr, Settings

ROOT = Path(__file__).parents[3]


def keys() -> Iterator[tuple[str, Key]]:
    for section in SCHEMA.members:
        assert isinstance(section, Section)
        for key in section.members:
            assert isinstance(key, Key)
            yield f"{section.name}.{key.name}", key


def test_every_setting_of_the_schema_is_in_the_shipped_file_or_explained():
    text = (ROOT / "config" / "submgr-config.yaml").read_text()
    for section, members in load("", {}).shown.items():
        for name in members:
            assert f'"{name}"' in text, f"{section}.{name}"


def test_settings_are_frozen():
    settings = load("", {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.controls.on_e2_loss = "restore"  # type: ignore[misc]


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


def test_the_declarations_are_enough_for_a_page_about_the_settings():
    for path, key in keys():
        assert key.description, path
        assert "\n" not in key.description, path
        assert key.kind.allowed, path
        assert key.kind(key.kind.show(key.default)) == key.default, path
    assert [path for path, key in keys() if key.secret] == ["debug.token"]
    units = {path: key.kind.unit for path, key in keys() if key.kind.unit}
    assert units["rmr.maxSize"] == "bytes"
    assert all(unit == "ms" for path, unit in units.items() if path.endswith("_ms"))
    assert {path for path in units if path.endswith("_ms")} == {path for path, _ in keys() if path.endswith("_ms")}


def test_the_defaults_need_no_file():
    settings = load("", {})
    assert dataclasses.replace(settings, shown={}) == Settings()


def test_what_nobody_reads_is_accepted_checked_and_not_kept():
    without_effect = {path for path, key in keys() if not key.effective}
    assert without_effect == {"rmr.numWorkers", "controls.e2tRecvMsgTimeout_ms", "controls.waitRouteCleanup_ms"}
    settings = load("rmr: {numWorkers: 7}\ncontrols: {waitRouteCleanup_ms: 1}\ndb: {host: x}", {})
    assert (settings.rmr, settings.controls, settings.warnings) == (Rmr(), Controls(), ())
    assert settings.shown["rmr"]["numWorkers"] == 7
    assert settings.shown["controls"]["waitRouteCleanup_ms"] == 1
    assert settings.shown["db"] == {"host": "x"}


def test_what_applies_at_run_time():
    assert RELOADED == ("logger", "controls", "outbound", "meo")


def test_a_printed_object_has_no_secret():
    assert "s3cret" not in repr(load("debug: {token: s3cret}", {}).debug)
