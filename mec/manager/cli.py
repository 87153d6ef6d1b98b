# SPDX-License-Identifier: Apache-2.0
"""`mec manager`."""

import sys
from collections.abc import Mapping
from typing import Any

import click
from prometheus_client import CollectorRegistry

from mec.app import Mec
from mec.common.program import complain, configured, environment, listen_option, run, store_of, url_option
from mec.common.settings import MecConfig
from submgr.platform.config.file import ConfigError
from submgr.platform.health import Health


@click.command()
@click.option("-f", "--file", "path", help="Configuration file: the sections mec, meo, sdl, logger.")
@click.option("--host", callback=lambda ctx, param, value: value and listen_option(ctx, param, value),
              help='Where to listen; as mec.host, ":8000".')  # fmt: skip
@click.option("-n", "--network", type=click.Choice(["home", "foreign"]), help="As mec.network.")
@click.option("--mec-id", type=int, help="As mec.mecId.")
@click.option("--home-mec-id", type=int, help="As mec.homeMecId.")
@click.option("--proxy-url", callback=url_option, help="As mec.proxyUrl.")
@click.option("--controller-url", callback=url_option, help="As mec.controllerUrl.")
@click.option("--app-url", "app_urls", multiple=True, metavar="ID=URL", help="As an entry of mec.appUrls.")
@click.option("--data-file", help="As mec.dataFile.")
def manager(
    path: str | None,
    host: str | None,
    network: str | None,
    mec_id: int | None,
    home_mec_id: int | None,
    proxy_url: str | None,
    controller_url: str | None,
    app_urls: tuple[str, ...],
    data_file: str | None,
) -> None:
    """Run the manager, application mobility and the orchestrator of a MEC.

    Options win over the configuration file.
    """
    urls = dict(each.partition("=")[::2] for each in app_urls)
    overrides: dict[str, Any] = {
        "mec.host": host,
        "mec.network": network,
        "mec.mecId": mec_id,
        "mec.homeMecId": home_mec_id,
        "mec.proxyUrl": proxy_url,
        "mec.controllerUrl": controller_url,
        "mec.appUrls": urls or None,
        "mec.dataFile": data_file,
    }
    config = configured(path, overrides)
    try:
        program = ManagerProgram(config, environment())
    except ConfigError as failed:
        complain(failed)
        sys.exit(1)
    run("mec manager", config, program)


class ManagerProgram:
    """The services of a MEC with their store. Raises ConfigError."""

    def __init__(self, config: MecConfig, environ: Mapping[str, str]) -> None:
        self._health = Health()
        self._store = store_of(config, environ, f"manager-{config.mec.network}")
        self.mec = Mec(config.mec, config.meo, self._store, CollectorRegistry(), self._health)

    def start(self) -> None:
        """Raises ListenError, StoreError, ConfigError."""
        self._store.start()
        self._health.start()
        self.mec.start()

    def stop(self) -> None:
        self.mec.stop()
        self._health.stop()
        self._store.stop()

    def facts(self) -> Mapping[str, Any]:
        return {"HTTP on": "{}:{}".format(*self.mec.address)}
