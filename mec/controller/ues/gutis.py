# SPDX-License-Identifier: Apache-2.0
"""The IMSIs behind temporary identities."""

from collections.abc import Collection, Iterable
from itertools import takewhile

from mec.common import imsi as imsis

LIFETIME = 24 * 3600.0
"""Seconds for which a GUTI is believed after it was learnt."""


class Gutis:
    """GUTIs (10 octets: PLMN, group, code, M-TMSI; 3GPP TS 23.003, 2.8) and S-TMSIs (the last 5 of them) to IMSIs."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, float]] = {}  # in the order in which they end
        self._by_s_tmsi: dict[bytes, set[bytes]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def load(self, known: Iterable[tuple[bytes, str, float]]) -> None:
        """Takes GUTI, IMSI and end (s since 1970) from records. A GUTI that was learnt since then is newer."""
        newer = list(self._known.items())
        for guti, imsi, until in sorted(known, key=lambda each: each[2]):
            self._put(guti, imsi, until)
        for guti, (imsi, until) in newer:
            self._put(guti, imsi, until)

    def learn(self, guti: bytes, imsi: str, now: float) -> bool:
        """Learns a GUTI. Returns whether to write its record: the IMSI is another, or half of the lifetime is over."""
        before = self._known.get(guti)
        self._put(guti, imsi, now + LIFETIME)
        return before is None or not imsis.same(before[0], imsi) or before[1] < now + LIFETIME / 2

    def imsi_of(self, guti: bytes, now: float) -> str | None:
        """The IMSI of a GUTI."""
        imsi, until = self._known.get(guti, (None, 0.0))
        return imsi if until > now else None

    def imsi_of_s_tmsi(self, s_tmsi: bytes, gummeis: Collection[bytes], now: float) -> str | None:
        """The IMSI of an S-TMSI, which is unique in one pool of MMEs only: in that of `gummeis` if they are known.

        None when it would be a guess.
        """
        pools = {gummei[:5] for gummei in gummeis}
        gutis = [guti for guti in self._by_s_tmsi.get(s_tmsi, ()) if not pools or guti[:5] in pools]
        found = {imsis.key(imsi): imsi for guti in gutis if (imsi := self.imsi_of(guti, now)) is not None}
        return next(iter(found.values())) if len(found) == 1 else None

    def expired(self, now: float) -> tuple[bytes, ...]:
        """Drops the GUTIs whose time is over, and returns them."""
        over = tuple(takewhile(lambda guti: self._known[guti][1] <= now, self._known))
        for guti in over:
            self._drop(guti)
        return over

    def _put(self, guti: bytes, imsi: str, until: float) -> None:
        self._drop(guti)
        self._known[guti] = (imsi, until)
        self._by_s_tmsi.setdefault(guti[5:], set()).add(guti)

    def _drop(self, guti: bytes) -> None:
        if self._known.pop(guti, None) is None:
            return
        others = self._by_s_tmsi[guti[5:]]
        others.discard(guti)
        if not others:
            del self._by_s_tmsi[guti[5:]]
