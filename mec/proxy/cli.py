# SPDX-License-Identifier: Apache-2.0
"""`mec proxy`: passes requests on between MECs."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click
from prometheus_client import CollectorRegistry

from mec.common.documents import port_document
from mec.common.peer_client import PeerClient
from mec.common.probes import CountedMetrics, probes_blueprint, time_requests
from mec.common.problem_details import problem_app
from mec.common.program import complain, configured, listen_option, run
from mec.common.relaxed_json import MAX_SIZE, read
from mec.proxy.api import proxy_blueprint
from mec.proxy.schemas import mec_info
from mec.proxy.service import Proxy
from submgr.platform.config.file import ConfigError
from submgr.platform.config.tls import TlsSettings
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.health import Health
from submgr.platform.http.api_pages import add_api_pages
from submgr.platform.http.certificates import require_certificate
from submgr.platform.http.client import HttpClient
from submgr.platform.http.error_formats import problem_errors
from submgr.platform.http.server import HttpServer

DOCUMENT = port_document("mec.proxy")


@click.command()
@click.option("--listen", default=":5000", show_default=True, callback=listen_option, help="For MECs.")
@click.option("--mec-info", default="mecInfo.json", show_default=True, help="The file that lists the MECs.")
@click.option("-f", "--file", "path", help="Configuration file: the sections logger, mec, tls.")
def proxy(listen: str, mec_info: str, path: str | None) -> None:
    """Pass requests on between MECs."""
    config = configured(path, {})
    try:
        program = ProxyProgram(listen, mec_info, config.mec.origins, config.tls)
    except ConfigError as failed:
        complain(failed, mec_info)
        sys.exit(1)
    run("mec proxy", config, program)


class ProxyProgram:
    """The proxy with its HTTP server and a watch on its file. Raises ConfigError."""

    def __init__(self, listen: str, path: str, origins: Iterable[str] = (), tls: TlsSettings | None = None) -> None:
        tls = tls or TlsSettings()
        text = read(path)
        self._client = HttpClient(user_agent="mec-proxy", idle_total=1024, tls=tls.client())
        self.proxy = Proxy(mec_info(text), PeerClient(self._client))
        self._watcher = ConfigWatcher(path, text, self.proxy.reload, largest=MAX_SIZE)
        self._health = Health()
        registry = CollectorRegistry()
        registry.register(_counted_metrics(self.proxy))
        app = self.app = problem_app("mec.proxy", origins=origins)
        time_requests(app, registry)
        app.register_blueprint(proxy_blueprint(self.proxy))
        app.register_blueprint(probes_blueprint(self._health, registry))
        add_api_pages(app, "MEC proxy", DOCUMENT)
        if tls.asks("mec"):
            require_certificate(app)
        self._http = HttpServer("proxy", listen, app, errors=problem_errors, tls=tls.server("mec"))

    def start(self) -> None:
        """Raises ListenError."""
        self._http.start()
        self._health.start()
        self._watcher.start()

    def stop(self) -> None:
        self._watcher.stop()
        self._health.stop()
        self._http.stop(grace=1.0)
        self._client.close()

    @property
    def address(self) -> tuple[str, int]:
        return self._http.address

    def facts(self) -> Mapping[str, Any]:
        return {"HTTP on": "{}:{}".format(*self._http.address), "MECs": len(self.proxy)}


def _counted_metrics(proxy: Proxy) -> CountedMetrics:
    metrics = CountedMetrics()
    metrics.counter("mec_proxy_requests", "What the proxy was asked", "result", lambda: proxy.counts)
    metrics.gauge("mec_proxy_mecs", "MECs in the file", lambda: len(proxy))
    return metrics
