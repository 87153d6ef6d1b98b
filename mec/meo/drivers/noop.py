# SPDX-License-Identifier: Apache-2.0
"""For platforms where every application is present already."""

from typing import Any

from mec.meo.model import App, Platform


class NoopDriver:
    """Deploys and removes nothing."""

    def check(self, deploy_info: Any) -> str | None:
        return None

    def check_platform(self, platform: Platform) -> str | None:
        return None

    def deploy(self, app: App, platform: Platform, timeout: float) -> None:
        pass

    def remove(self, app: App, platform: Platform, timeout: float) -> None:
        pass
