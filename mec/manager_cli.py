# SPDX-License-Identifier: Apache-2.0
"""`mec manager`: the services of a MEC as a program of their own."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

import click
from gevent.event import Event
from prometheus_client import CollectorRegistry

from mec.app import Mec
from mec.common.program import complain, configured, environment, listen_option, run, store_of, url_option
from mec.common.replica import FOLLOWED, Replica, make_replica
from mec.common.settings import MecConfig, load, needs_restart
from submgr.platform.config.file import ConfigError
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.outbound_rules import Outbound

log = logging.getLogger(__name__)


@click.command()
@click.option("-f", "--file", "path", help="Configuration file: the sections mec, meo, sdl, logger, tls.")
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
    options: dict[str, Any] = {
        "mec.host": host,
        "mec.network": network,
        "mec.mecId": mec_id,
        "mec.homeMecId": home_mec_id,
        "mec.proxyUrl": proxy_url,
        "mec.controllerUrl": controller_url,
        "mec.appUrls": urls or None,
        "mec.dataFile": data_file,
    }
    overrides = {name: value for name, value in options.items() if value is not None}
    config = configured(path, overrides)
    try:
        program = ManagerProgram(config, environment(), path, overrides)
    except ConfigError as failed:
        complain(failed)
        sys.exit(1)
    run("mec manager", config, program, program.over)
    sys.exit(program.status)


class ManagerProgram:
    """`mec manager`: the services of a MEC with their store, and a watch on the configuration file. Raises ConfigError.

    `over` is set when the process has to end, with the exit status `status`.
    `path`: the file that `config` was read from, `overrides` what the command line says beside it.
    """

    def __init__(
        self,
        config: MecConfig,
        environ: Mapping[str, str],
        path: str | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self._config = config
        self._overrides = overrides
        self.over = Event()
        self.status = 0
        self._health = Health()
        replica = make_replica(config.mec, config.sdl_backend, environ, self._followed, may_have_others=True)
        store = replica or store_of(config, environ, f"manager-{config.mec.network}")
        self._store = store if not isinstance(store, Replica) else None
        """What a process alone has."""
        self.outbound = Outbound(config.outbound.rules())
        self.mec = Mec(
            config.mec,
            config.meo,
            store,
            CollectorRegistry(),
            self._health,
            self.outbound,
            config.tls,
        )
        self.outbound.own_ports = lambda: {self.mec.port}
        self._watcher = ConfigWatcher(path, config.content, self.reload) if path is not None else None

    def start(self) -> None:
        """Raises ListenError, StoreError, ConfigError."""
        if self._store is not None:
            self._store.start()
        self._health.start()
        self.mec.start()
        if self._watcher is not None:
            self._watcher.start()

    def stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
        self.mec.stop()
        self._health.stop()
        if self._store is not None:
            self._store.stop()

    def reload(self, content: str) -> None:
        """Applies the sections meo and outbound of a changed file.

        A content with a mistake is logged and changes nothing.
        """
        try:
            new = load(content, self._overrides)
            self.mec.reconfigure(new.meo)
        except ConfigError as exc:
            problems = [str(problem) for problem in exc.problems]
            log.error("configuration refused, the old values stay", extra={"problems": problems})
            return
        self.outbound.rules = new.outbound.rules()
        if waiting := needs_restart(self._config, new):
            log.warning("configuration changes that need a restart", extra={"settings": waiting})

    def _followed(self, why: str) -> None:
        if not self.over.is_set():
            log.error("the process ends and has to be started again, as a standby: %s", why)
            self.status = FOLLOWED
            self.over.set()

    def facts(self) -> Mapping[str, Any]:
        return {"HTTP on": "{}:{}".format(*self.mec.address)}
