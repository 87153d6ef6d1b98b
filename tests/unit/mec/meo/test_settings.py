# SPDX-License-Identifier: Apache-2.0
"""The section `meo`."""

from pathlib import Path

import pytest

from mec.meo.placement import Rules
from mec.meo.settings import MeoSettings, from_mapping, usable
from submgr.platform.config.file import ConfigError


def test_defaults() -> None:
    assert from_mapping(None) == from_mapping({}) == MeoSettings()
    assert MeoSettings().rules == Rules(0.8, 0.1, "product", 0.5, 30.0)
    assert (MeoSettings().period, MeoSettings().cooldown, MeoSettings().migrations_per_round) == (10.0, 60.0, 1)


def test_all_of_it() -> None:
    settings = from_mapping(
        {
            "maxLoad": 0.7, "minKey": "0.2", "score": "Weighted", "alpha": 0.9, "period": 5, "telemetryTtl": 15,
            "cooldown": 0, "migrationsPerRound": 3, "seed": 7, "drivers": {"k8s": "kubernetes"},
            "overloadWebhook": "http://monitor/", "adminToken": "a", "deviceTokens": ["b", "c"],
        }
    )  # fmt: skip
    assert settings.rules == Rules(0.7, 0.2, "weighted", 0.9, 15.0)
    assert (settings.period, settings.cooldown, settings.migrations_per_round, settings.seed) == (5.0, 0.0, 3, 7)
    assert [settings.driver_of(kind) for kind in ("k8s", "webhook", "other")] == ["kubernetes", "webhook", None]
    assert (settings.admin_token, settings.device_tokens) == ("a", ("b", "c"))
    assert "'a'" not in repr(settings)


def test_files_of_tokens_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret")
    for name in ("adminTokenFile", "deviceTokensFile"):
        assert "s3cret" not in repr(usable({name: str(tmp_path / "token")}))
        with pytest.raises(ConfigError, match=f"meo.{name}: unreadable"):
            usable({name: str(tmp_path / "none")})
    assert usable({"credentialsDir": str(tmp_path)}).credentials_dir == str(tmp_path)
    with pytest.raises(ConfigError, match=r"meo\.credentialsDir: .* is no directory"):
        usable({"credentialsDir": str(tmp_path / "token")})
    assert from_mapping({}).required_admin_tokens is None
    assert from_mapping({"adminToken": "a", "adminTokenFile": str(tmp_path / "token")}).required_admin_tokens == (
        "a",
        "s3cret",
    )


def test_all_mistakes_at_once() -> None:
    wrong = {
        "maxLoad": 1.5, "minKey": float("nan"), "score": "best", "period": 0, "migrationsPerRound": -1,
        "drivers": {"k8s": "kubernets"}, "overloadWebhook": "monitor", "telemetryTTL": 3, "colour": 1,
    }  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        from_mapping(wrong)
    text = str(caught.value)
    for setting in wrong:
        assert (f"meo.{setting}: " in text) != (setting == "telemetryTTL")  # letter case does not matter
    assert "did you mean kubernetes?" in text
