# SPDX-License-Identifier: Apache-2.0
"""Watches a configuration file for a changed content."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import gevent

from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)


class ConfigWatcher:
    """Calls `on_change(text)` when the content of a file has changed, a few seconds later.

    The watcher compares contents: Kubernetes changes a ConfigMap by swapping a symlink above the file, an editor
    may replace the file or write it in place. It reports a content that was the same in two looks, and so never half
    a file. A file that is missing or unreadable changes nothing. `text`: the content that is known already.
    `interval`: seconds between two looks.
    """

    def __init__(self, path: str, text: str, on_change: Callable[[str], None], interval: float = 2.0) -> None:
        self._path = Path(path)
        self._known = _digest(text)
        self._seen = self._known
        self._on_change = on_change
        self._interval = interval
        self._loop = SupervisedLoop("configuration watcher", self._step)
        self._complained = False

    def start(self) -> None:
        """Begins to watch."""
        self._loop.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._loop.stop()

    def look(self) -> None:
        """Looks at the file once."""
        try:
            content = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            if not self._complained:
                log.warning("configuration file unreadable", extra={"file": str(self._path), "why": str(exc)})
            self._complained = True
            return
        self._complained = False
        digest = _digest(content)
        settled, self._seen = digest == self._seen, digest
        if settled and digest != self._known:
            self._known = digest
            self._on_change(content)

    def _step(self) -> None:
        gevent.sleep(self._interval)
        self.look()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
