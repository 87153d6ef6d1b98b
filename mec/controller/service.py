# SPDX-License-Identifier: Apache-2.0
"""The controller: listens for mirrored S1AP, performs the effects, and keeps the tables in the store."""

import logging
import time
from dataclasses import dataclass, field

import gevent
from prometheus_client import CollectorRegistry, Histogram

from mec.common import imsi as imsis
from mec.common.records import Records
from mec.controller.identity_push import IDENTITY_POLICY, IdentityPush, PushSettings
from mec.controller.listener import Limits, Listener
from mec.controller.model import Announce, Association, Effect, Forget, Keep, Learn, Ue
from mec.controller.procedures import Identities
from mec.controller.schemas import GutiRecord, PushRecord, UeRecord, record_of, ue_of
from mec.controller.ues.gutis import LIFETIME
from submgr.platform.health import Health
from submgr.platform.http.client import HttpClient
from submgr.platform.outbox import RetryPolicy
from submgr.platform.store.base import Store
from submgr.platform.store.loading import Loader
from submgr.platform.supervised import SupervisedLoop
from submgr.platform.tls import TlsFiles
from submgr.platform.turns import in_turns

log = logging.getLogger(__name__)

_PURGE_INTERVAL = 60.0
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600, 3600)


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """`lengths`: each PDU follows its size. `log_identities`: debug lines show IMSIs in full.

    `implicit_detach`: seconds after which an idle UE that does not come back is detached.
    """

    network: str
    listen: str
    push: PushSettings
    lengths: bool = False
    log_identities: bool = False
    implicit_detach: float = LIFETIME
    limits: Limits = field(default_factory=Limits)


class Controller:
    """Listens between `start` and `stop`. The caller starts and stops the store."""

    def __init__(
        self,
        settings: ControllerSettings,
        store: Store,
        registry: CollectorRegistry,
        health: Health,
        policy: RetryPolicy = IDENTITY_POLICY,
        tls: TlsFiles | None = None,
    ) -> None:
        self.identities = Identities(implicit_detach=settings.implicit_detach)
        self.listener = Listener(settings.lengths, settings.limits, self._take, self._ended)
        self._settings = settings
        self._client = HttpClient(user_agent="mec-controller", tls=tls)
        prefix = f"controller/{settings.network}"
        self._ues = Records(store, "mec_ues", UeRecord, f"{prefix}/ue/")
        self._gutis = Records(store, "mec_guti", GutiRecord, f"{prefix}/")
        pushes = Records(store, "mec_ues", PushRecord, f"{prefix}/push/")
        seconds = Histogram(
            "mec_controller_push_seconds",
            "From an event to an identity provider knowing it",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.push = IdentityPush(settings.push, self._client, pushes, seconds, policy)
        self._loader = Loader(self._load, log, "the controller waits for the store")
        self._purging = SupervisedLoop("purge of UEs", self._purge)
        health.warn("database", store.trouble)
        health.require("store", lambda: None if self._loader.done else "what is stored has not been read yet")
        health.require("S1AP", lambda: None if self.listener.listening else "not listening")

    @property
    def address(self) -> tuple[str, int]:
        """The address and port where it takes S1AP."""
        return self.listener.address

    def start(self) -> None:
        """Reads the stored tables, in the background while the store is away, and listens. Raises ListenError."""
        self.listener.start(self._settings.listen)
        self._loader.start()
        self._purging.start()

    def stop(self) -> None:
        """Closes all connections. The store keeps what is not delivered."""
        self.listener.stop()
        self._loader.stop()
        self._purging.stop()
        self.push.stop()
        self._client.close()

    def feed(self, imsi: str, addresses: tuple[str, ...]) -> Ue:
        """Takes the addresses of a UE from an operator."""
        self.identities.ues.now = time.time()
        ue = self.identities.ues.feed(imsi, addresses)
        self._perform(self.identities.effects())
        return ue

    def _take(self, association: Association, pdu: bytes) -> None:
        effects = self.identities.take(association, pdu, time.time())
        if effects:
            self._perform(effects)

    def _ended(self, association: Association) -> None:
        self._perform(self.identities.ended(association, time.time()))

    def _perform(self, effects: list[Effect]) -> None:
        changed: dict[str, Ue] = {}
        for effect in effects:
            if isinstance(effect, Keep):
                changed[effect.ue.key] = effect.ue
            elif isinstance(effect, Announce):
                self._log(effect)
                self.push.put(effect)
            elif isinstance(effect, Learn):
                until = self.identities.ues.now + LIFETIME
                self._gutis.save_soon(effect.guti.hex(), GutiRecord(effect.imsi, until))
            elif isinstance(effect, Forget):
                self._ues.remove_soon(*effect.ues)
                self._gutis.remove_soon(*(guti.hex() for guti in effect.gutis))
                self.push.forget(effect.ues)
                for key in effect.ues:
                    changed.pop(key, None)
        for key, ue in in_turns(changed.items()):
            if self.identities.ues.find(ue.imsi) is ue:  # else it was forgotten while others had their turn
                self._ues.save_soon(key, record_of(ue))

    def _log(self, announce: Announce) -> None:
        if not log.isEnabledFor(logging.DEBUG):
            return
        imsi = announce.ue.imsi
        log.debug(
            "identity",
            extra={
                "imsi": imsi if self._settings.log_identities else imsis.masked(imsi),
                "event": announce.identities[0].happening.value,
                "addresses": [identity.address for identity in announce.identities],
            },
        )

    def _load(self) -> None:
        """Takes up what is stored; what has been seen meanwhile is newer. Raises StoreError."""
        ues = self._ues.load()
        gutis = self._gutis.load()
        self.push.resume()
        self.identities.load([ue_of(record) for record in ues.values()])
        self.identities.ues.gutis.load(
            (bytes.fromhex(guti), record.imsi, record.until) for guti, record in gutis.items() if _is_guti(guti)
        )

    def _purge(self) -> None:
        gevent.sleep(_PURGE_INTERVAL)
        self.identities.ues.now = time.time()
        self.identities.ues.purge()
        self._perform(self.identities.effects())


def _is_guti(key: str) -> bool:
    try:
        return len(bytes.fromhex(key)) == 10
    except ValueError:
        return False
