# SPDX-License-Identifier: Apache-2.0
"""`mec controller`: takes mirrored S1AP in and tells identity providers who has which address."""

from collections.abc import Iterable, Mapping
from typing import Any

import click
from prometheus_client import CollectorRegistry

from mec.common.documents import port_document
from mec.common.probes import probes_blueprint, time_requests
from mec.common.problem_details import problem_app
from mec.common.program import configured, environment, listen_option, run, store_of, url_option
from mec.controller.api import controller_blueprint
from mec.controller.identity_push import PushSettings
from mec.controller.listener import Limits
from mec.controller.metrics import register_metrics
from mec.controller.service import Controller, ControllerSettings
from submgr.platform.config.tls import TlsSettings
from submgr.platform.health import Health
from submgr.platform.http.api_pages import add_api_pages
from submgr.platform.http.certificates import require_certificate
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.server import HttpServer
from submgr.platform.secret_file import secret_file
from submgr.platform.store.base import Store

TOKEN_VARIABLE = "MEC_IDP_TOKEN"
DOCUMENT = port_document("mec.controller")
_MANAGERS = {"home": "http://localhost:8000", "foreign": "http://localhost:8001"}


def _urls(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(url_option(ctx, param, each) or "" for each in value))


@click.command()
@click.option("-u", "--prefetch_user_data", is_flag=True, help="Send a UE's subscription data with its identity.")
@click.option("-s", "--prefetch_state", is_flag=True, help="Have the manager prefetch application state.")
@click.option("-n", "--network", type=click.Choice(["home", "foreign"]), required=True, help="Which MEC this is.")
@click.option("--listen", default="0.0.0.0:9001", show_default=True, callback=listen_option, help="For mirrored S1AP.")
@click.option("--manager-url", callback=url_option, help="Default: http://localhost:8000 (home) or :8001 (foreign).")
@click.option("--idp-url", "idp_urls", multiple=True, callback=_urls, help="Identity provider; may be repeated.")
@click.option("--framing", type=click.Choice(["raw", "len32"]), default="raw", show_default=True,
              help="PDUs back to back, or each after its length in four octets.")  # fmt: skip
@click.option("--http", default="127.0.0.1:9002", show_default=True, callback=listen_option,
              help="UEs, metrics, health.")  # fmt: skip
@click.option("--idp-token", envvar=TOKEN_VARIABLE, help="Bearer token for identity providers.")
@click.option("--idp-token-file", help="A file that has it, read again when it changes.")
@click.option("--push-queue", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True,
              help="Deliveries that may wait for one identity provider.")  # fmt: skip
@click.option("--idle-limit", type=click.FloatRange(min=0), default=3600.0, show_default=True,
              help="Seconds of silence after which a mirror's connection is closed; 0: never.")  # fmt: skip
@click.option("-f", "--file", "path", help="Configuration file: the sections sdl, logger, mec, tls.")
def controller(
    prefetch_user_data: bool,
    prefetch_state: bool,
    network: str,
    listen: str,
    manager_url: str | None,
    idp_urls: tuple[str, ...],
    framing: str,
    http: str,
    idp_token: str | None,
    idp_token_file: str | None,
    push_queue: int,
    idle_limit: float,
    path: str | None,
) -> None:
    """Take mirrored S1AP in, tell identity providers which UE has which address."""
    if idp_token is not None and not (idp_token.isascii() and idp_token.isprintable()):
        raise click.UsageError("--idp-token: a token has no spaces and no other than ASCII characters")
    if idp_token_file is not None:
        try:
            secret_file(idp_token_file).text()
        except (OSError, ValueError) as exc:
            raise click.UsageError(f"--idp-token-file: {exc}") from exc
    config = configured(path, {})
    push = PushSettings(
        idps=idp_urls,
        manager=manager_url or _MANAGERS[network],
        user_data=prefetch_user_data,
        state=prefetch_state,
        token=idp_token,
        token_file=idp_token_file,
        places=push_queue,
    )
    settings = ControllerSettings(
        network,
        listen,
        push,
        framing == "len32",
        config.mec.log_identities,
        config.mec.implicit_detach,
        Limits(idle=idle_limit),
    )
    store = store_of(config, environment(), f"controller-{network}")
    run("mec controller", config, ControllerProgram(settings, http, store, config.mec.origins, config.tls))


class ControllerProgram:
    """The controller with its store and its HTTP server."""

    def __init__(
        self,
        settings: ControllerSettings,
        http: str,
        store: Store,
        origins: Iterable[str] = (),
        tls: TlsSettings | None = None,
    ) -> None:
        registry = CollectorRegistry()
        tls = tls or TlsSettings()
        self._store = store
        self._health = Health()
        self.controller = Controller(settings, store, registry, self._health, tls=tls.client())
        register_metrics(self.controller, registry)
        app = self.app = problem_app("mec.controller", origins=origins)
        time_requests(app, registry)
        app.register_blueprint(controller_blueprint(self.controller))
        app.register_blueprint(probes_blueprint(self._health, registry))
        add_api_pages(app, "MEC controller", DOCUMENT)
        if tls.asks("mec"):
            require_certificate(app)
        self._http = HttpServer("controller", http, app, errors=problem_errors, tls=tls.server("mec"))

    def start(self) -> None:
        """Raises ListenError or StoreError."""
        self._http.bind()
        self._store.start()
        self._health.start()
        self.controller.start()
        self._http.start()

    def stop(self) -> None:
        self._http.stop(grace=1.0)
        self.controller.stop()
        self._health.stop()
        self._store.stop()

    def facts(self) -> Mapping[str, Any]:
        return {
            "takes S1AP on": "{}:{},".format(*self.controller.address),
            "HTTP on": "{}:{}".format(*self._http.address),
        }
