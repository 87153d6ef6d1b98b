# SPDX-License-Identifier: Apache-2.0
"""Takes the data file into the store: all of it when the store is empty, its users whenever the file has changed."""

import hashlib
import logging
from contextlib import suppress

import gevent

from mec.ams.model import KnownUses, Use
from mec.common.relaxed_json import MAX_SIZE, read
from mec.manager.model import DataFile, User
from mec.manager.schemas import changed_users, data_file
from mec.manager.user_records import KnownUsers
from submgr.platform.config.file import ConfigError, Problem
from submgr.platform.config.watcher import ConfigWatcher
from submgr.platform.sparse_log import Outage
from submgr.platform.store.base import StoreError
from submgr.platform.store.loading import Loader
from submgr.platform.supervised import SupervisedLoop

log = logging.getLogger(__name__)

_LOOK = 2.0
"""Seconds between two looks whether the database was emptied."""


class DataFileLoader:
    """Brings the data file into the store and keeps the users up to date. `path` None: there is no file.

    `looks`: whether it takes the file again when the database was emptied, since nobody else writes anything back.
    """

    def __init__(self, path: str | None, users: KnownUsers, uses: KnownUses, *, looks: bool = False) -> None:
        self.refused = 0
        """How often the file was changed into something that cannot be used."""
        self.skipped = 0
        """How often an entry of a changed file was left out for a mistake."""
        self._path = path
        self._users = users
        self._known_uses = uses
        self._wanted: tuple[str, DataFile] | None = None
        self._unread: str | None = None
        """The content of a changed file."""
        self._watcher: ConfigWatcher | None = None
        self._loader = Loader(self._load, log, "the manager waits for the store")
        self._unusable = Outage(log)
        self._emptied = SupervisedLoop("emptied database", self._look) if looks and path is not None else None
        self._user_writer = Loader(self._write_users, log, "the users of the data file wait for the store")

    def start(self) -> None:
        """Reads the file and the store, in the background while the store is away.

        Raises ConfigError for a file that cannot be used.
        """
        if self._path is not None:
            text = read(self._path)
            self._wanted = (_digest(text), self._parsed(self._path, text))
            self._watcher = ConfigWatcher(self._path, text, self._changed, largest=MAX_SIZE)
            self._watcher.start()
        self._loader.start()
        if self._emptied is not None:
            self._emptied.start()

    @property
    def loaded(self) -> bool:
        """Whether the file and the stored users and uses have been read."""
        return self._loader.done

    def stop(self) -> None:
        """Ends the watch on the file."""
        if self._watcher is not None:
            self._watcher.stop()
        if self._emptied is not None:
            self._emptied.stop()
        self._loader.stop()
        self._user_writer.stop()

    @staticmethod
    def _parsed(path: str, text: str) -> DataFile:
        try:
            return data_file(text)
        except ConfigError as exc:
            # the mistakes of a file that the configuration file names
            named = [Problem(None, f"mec.dataFile, {path}", str(problem)) for problem in exc.problems]
            raise ConfigError(named) from exc

    def _changed(self, text: str) -> None:
        self._unread = text
        if self.loaded:
            self._user_writer.start()

    def _read_changed(self, text: str) -> None:
        """Raises StoreError while it is not known what stays of entries with a mistake."""
        try:
            users, problems = changed_users(text, self._known)
        except ConfigError as exc:
            self.refused += 1
            told = [str(problem) for problem in exc.problems]
            log.error("data file refused, the old users stay", extra={"file": self._path, "problems": told})
            return
        if problems:
            self.skipped += len(problems)
            told = [str(problem) for problem in problems]
            log.error("entries of the data file left out", extra={"file": self._path, "problems": told})
        self._wanted = (_digest(text), DataFile(users, ()))

    def _look(self) -> None:
        gevent.sleep(_LOOK)
        with suppress(StoreError):
            if self._path is None or not self.loaded or self._wanted is not None or self._users.taken():
                return
            try:
                text = read(self._path)
                wanted = _digest(text), self._parsed(self._path, text)
            except ConfigError as exc:
                words = "the database was emptied, and the data file cannot be used"
                self._unusable.goes_on(words, str(exc), file=self._path, why=str(exc))
                return
            self._unusable.over("the data file can be used")
            if not self._users.taken():
                log.warning("the database was emptied: the data file is taken again", extra={"file": self._path})
                self._wanted = wanted
                self._load()

    def _load(self) -> None:
        """Raises StoreError."""
        self._users.load()
        self._known_uses.load()
        wanted = self._wanted
        if wanted is not None and self._is_first():
            self._known_uses.take((Use(use.imsi, use.app_id, use.mec_id), use.state) for use in wanted[1].ues)
        elif wanted is not None and self._users.taken() == wanted[0] and self._wanted is wanted:
            self._wanted = None
        self._write_users()

    def _write_users(self) -> None:
        """Writes the users of the latest content, also of one that comes meanwhile. Raises StoreError."""
        while self._unread is not None or self._wanted is not None:
            if (text := self._unread) is not None:
                self._read_changed(text)
                self._unread = None if self._unread is text else self._unread
            if (wanted := self._wanted) is None:
                continue
            digest, content = wanted
            self._users.replace(content.users, digest)
            log.info("users of the data file taken", extra={"file": self._path, "users": len(content.users)})
            if self._wanted is wanted:
                self._wanted = None

    def _is_first(self) -> bool:
        """Whether nothing is stored yet."""
        return self._users.empty() and self._known_uses.empty()

    def _known(self, key: str) -> User | None:
        return self._users.find(key)[0]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
