# SPDX-License-Identifier: Apache-2.0
"""The `meo` section of the configuration file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from mec.meo.placement import SCORES, Rules
from submgr.platform.config.file import ConfigError, Key, Problem, Section, inspect
from submgr.platform.config.values import mapping, number, one_of, text, whole

DRIVERS = ("noop", "webhook", "kubernetes", "openwhisk")


@dataclass(frozen=True, slots=True)
class MeoSettings:
    """Times in seconds. `drivers`: platform type to the driver it uses, beside the types named as a driver.

    `admin_token` protects `/meo/v1`, `device_tokens` protect `/dev_app/v1`; without them anybody may ask.
    """

    rules: Rules = field(default_factory=Rules)
    period: float = 10.0
    cooldown: float = 60.0
    migrations_per_round: int = 1
    seed: int | None = None
    drivers: Mapping[str, str] = field(default_factory=dict)
    overload_webhook: str | None = None
    admin_token: str | None = field(default=None, repr=False)
    device_tokens: tuple[str, ...] = field(default=(), repr=False)

    def driver_of(self, platform_type: str) -> str | None:
        """The name of the driver for platforms of a type; None when there is none."""
        if platform_type in self.drivers:
            return self.drivers[platform_type]
        return platform_type if platform_type in DRIVERS else None


def _types_to_drivers(value: Any) -> Mapping[str, str]:
    choose = one_of(*DRIVERS)
    return {text(name): choose(driver) for name, driver in mapping(value).items()}


def _tokens(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text(token) for token in value if token != "")
    return (text(value),) if value != "" else ()


def _url(value: Any) -> str:
    url = text(value)
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is not an http or https URL")
    return url


SECTION = Section(
    "meo",
    (
        Key("maxLoad", number(0.0, 1.0), 0.8),
        Key("minKey", number(0.0, 1.0), 0.1),
        Key("score", one_of(*SCORES), "product"),
        Key("alpha", number(0.0, 1.0), 0.5),
        Key("period", number(0.05, 86_400.0), 10.0),
        Key("telemetryTtl", number(0.05, 86_400.0), 30.0),
        Key("cooldown", number(0.0, 86_400.0), 60.0),
        Key("migrationsPerRound", whole(0, 1_000_000), 1),
        Key("seed", whole(-(2**63), 2**63 - 1)),
        Key("drivers", _types_to_drivers, {}),
        Key("overloadWebhook", _url),
        Key("adminToken", text),
        Key("deviceTokens", _tokens, ()),
    ),
    strict=True,
)


def from_values(values: Mapping[str, Any]) -> MeoSettings:
    """The settings out of a section that was read by SECTION."""
    return MeoSettings(
        rules=Rules(values["maxLoad"], values["minKey"], values["score"], values["alpha"], values["telemetryTtl"]),
        period=values["period"],
        cooldown=values["cooldown"],
        migrations_per_round=values["migrationsPerRound"],
        seed=values["seed"],
        drivers=values["drivers"],
        overload_webhook=values["overloadWebhook"] or None,
        admin_token=values["adminToken"] or None,
        device_tokens=values["deviceTokens"],
    )


def from_mapping(values: Mapping[str, Any] | None) -> MeoSettings:
    """The settings out of the raw section of a file (None: it has none). Raises ConfigError with all mistakes."""
    parsed, errors = inspect(yaml.safe_dump({"meo": dict(values or {})}), Section("", (SECTION,)))
    if errors:
        # the lines are not those of the file
        raise ConfigError([Problem(None, problem.path, problem.message) for problem in errors])
    return from_values(parsed.values["meo"])
