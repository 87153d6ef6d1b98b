# SPDX-License-Identifier: Apache-2.0
"""Watches a configuration file for a changed content."""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import gevent

from submgr.platform.config.file import LARGEST, ConfigError, read_text
from submgr.platform.native_threads import in_thread
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)


class ConfigWatcher:
    """Calls `on_change(text)` when the content of a file has changed, a few seconds later.

    The watcher compares contents: Kubernetes changes a ConfigMap by swapping a symlink above the file, an editor
    may replace the file or write it in place. It reports a content that was the same in two looks, and so never half
    a file. A file that is missing or unreadable changes nothing. `text`: the content that is known already.
    `interval`: seconds between two looks. `largest`: bytes that the file may have.
    """

    def __init__(
        self, path: str, text: str, on_change: Callable[[str], None], interval: float = 2.0, largest: int = LARGEST
    ) -> None:
        self._path = Path(path)
        self._known = _digest(text)
        self._seen = self._known
        self._on_change = on_change
        self._interval = interval
        self._largest = largest
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
            # a file system may hang
            content, digest = in_thread(_content, self._path, self._largest)
        except ConfigError as exc:
            if not self._complained:
                log.warning("configuration file unreadable", extra={"file": str(self._path), "why": str(exc)})
            self._complained = True
            return
        self._complained = False
        settled, self._seen = digest == self._seen, digest
        if settled and digest != self._known:
            self._known = digest
            self._on_change(content)

    def _step(self) -> None:
        gevent.sleep(self._interval)
        self.look()


def _content(path: Path, largest: int) -> tuple[str, bytes]:
    text = read_text(path, largest)
    return text, _digest(text)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
