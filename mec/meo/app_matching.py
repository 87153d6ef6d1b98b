# SPDX-License-Identifier: Apache-2.0
"""Which registered application a device means (MEC 016, 6.2.3)."""

from collections.abc import Iterable, Mapping
from typing import Any

from mec.meo.model import App


def matches(app: App, app_info: Mapping[str, Any]) -> bool:
    """Whether everything that a request says of the application is so; what it leaves out is not compared."""
    info = app.info
    return all(
        app_info.get(name) in (None, value)
        for name, value in (
            ("appDId", info.app_d_id),
            ("appName", info.name),
            ("appProvider", info.provider),
            ("appSoftVersion", info.soft_version),
            ("appDVersion", info.d_version),
        )
    )


def find(apps: Iterable[App], app_info: Mapping[str, Any]) -> App | None:
    """The one that is meant; of several the one registered last."""
    found = [app for app in apps if not app.withdrawn and matches(app, app_info)]
    return max(found, key=lambda app: app.order, default=None)
