# SPDX-License-Identifier: Apache-2.0
"""The section `meo` of the configuration file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mec.meo.placement import Rules
from submgr.platform.config.file import ConfigError, Problem, inspect_values
from submgr.platform.config.schema import Section, fill, part, schema_of, setting
from submgr.platform.config.values import Kind, mapping, number, one_of, optional_text, text, texts, whole
from submgr.platform.secret_file import secret_file

DRIVERS = ("noop", "webhook", "kubernetes", "openwhisk")


def _types_to_drivers(value: Any) -> Mapping[str, str]:
    choose = one_of(*DRIVERS)
    return {text(name): choose(driver) for name, driver in mapping(value).items()}


def _url(value: Any) -> str | None:
    url = text(value)
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is not an http or https URL")
    return url or None


@dataclass(frozen=True, slots=True)
class MeoSettings:
    """Times in seconds. `drivers`: platform type to the driver it uses, beside the types named as a driver.

    The admin token protects `/meo/v1`, the device tokens protect `/dev_app/v1`; without them anybody may ask. Those in
    files may change at any time.
    """

    rules: Rules = part(Rules)
    period: float = setting("period", number(0.05, 86_400.0, "s"), 10.0, "time between two rounds of the optimiser")
    ready_timeout: float = setting(
        "readyTimeout",
        number(0.0, 60.0, "s"),
        2.0,
        "how long a context waits until what was deployed for it is ready",
    )
    public_url: str | None = setting(
        "publicUrl", Kind(_url, "http or https URL"), None, "where platforms reach the orchestrator"
    )
    cooldown: float = setting(
        "cooldown", number(0.0, 86_400.0, "s"), 60.0, "how long a context stays where it was moved to"
    )
    migrations_per_round: int = setting(
        "migrationsPerRound", whole(0, 1_000_000), 1, "contexts moved in one round at most"
    )
    seed: int | None = setting("seed", whole(-(2**63), 2**63 - 1), None, "makes the draws repeatable")
    drivers: Mapping[str, str] = setting(
        "drivers",
        Kind(_types_to_drivers, f"mapping of platform types to {', '.join(DRIVERS)}"),
        {},
        "platform type to the driver that deploys there",
    )
    overload_webhook: str | None = setting(
        "overloadWebhook", Kind(_url, "http or https URL"), None, "who is told that no platform is left"
    )
    admin_token: str | None = setting("adminToken", optional_text, None, "the token of /meo/v1")
    admin_token_file: str = setting("adminTokenFile", text, "", "a file that has it, read again when it changes")
    device_tokens: tuple[str, ...] = setting("deviceTokens", texts, (), "the tokens of /dev_app/v1")
    device_tokens_file: str = setting("deviceTokensFile", text, "", "a file that has them, one a line")
    credentials_dir: str = setting(
        "credentialsDir",
        text,
        "",
        'a directory with a file for the credentials of each platform, which is then registered with {"secret": NAME}',
    )

    @property
    def required_admin_tokens(self) -> tuple[str, ...] | None:
        """The tokens of which `/meo/v1` wants one. None: it wants none."""
        return _required((self.admin_token,) if self.admin_token else (), self.admin_token_file)

    @property
    def required_device_tokens(self) -> tuple[str, ...] | None:
        """The tokens of which `/dev_app/v1` wants one. None: it wants none."""
        return _required(self.device_tokens, self.device_tokens_file)

    def status_url(self, deployment_id: str) -> str:
        """Where a platform tells the state of a deployment; a path when nobody has said where it reaches us."""
        return f"{(self.public_url or '').rstrip('/')}/meo/v1/deployments/{deployment_id}/status"

    def driver_of(self, platform_type: str) -> str | None:
        """The name of the driver for platforms of a type; None when there is none."""
        if platform_type in self.drivers:
            return self.drivers[platform_type]
        return platform_type if platform_type in DRIVERS else None


def _required(given: tuple[str, ...], file: str) -> tuple[str, ...] | None:
    """The given tokens and those in the file. An empty file is no way in."""
    if file:
        return (*given, *(line.strip() for line in secret_file(file).text().splitlines()))
    return given or None


SECTION = schema_of(MeoSettings, "meo", strict=True)
RESTART = frozenset({"seed"})
"""The settings that are taken at the start only."""


def usable(values: Mapping[str, Any] | None) -> MeoSettings:
    """As `from_mapping`, and the files that are named can be read."""
    settings = from_mapping(values)
    mistakes = []
    files = {"adminTokenFile": settings.admin_token_file, "deviceTokensFile": settings.device_tokens_file}
    for name, path in files.items():
        try:
            if path:
                secret_file(path).text()
        except (OSError, ValueError) as exc:
            mistakes.append(Problem(None, f"meo.{name}", f"unreadable: {exc}"))
    if settings.credentials_dir and not Path(settings.credentials_dir).is_dir():
        mistakes.append(Problem(None, "meo.credentialsDir", f"{settings.credentials_dir} is no directory"))
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def from_mapping(values: Mapping[str, Any] | None) -> MeoSettings:
    """The settings out of the raw section of a file (None: it has none). Raises ConfigError with all mistakes."""
    parsed, errors = inspect_values({"meo": dict(values or {})}, Section("", (SECTION,)))
    if errors:
        raise ConfigError(errors)
    return fill(MeoSettings, parsed.values["meo"])
