# SPDX-License-Identifier: Apache-2.0
"""Backup: all records as a file of JSON lines, and back into a database that has none of them.

What was imported becomes live subscriptions at the next start, which the caller sees to.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct, field

from submgr.adapters.records.comparing import KINDS, Kind
from submgr.adapters.records.forms import RecordError
from submgr.adapters.records.lines import Line, end_line, head_line, read_lines, record_line
from submgr.adapters.records.namespaces import E2_NAMESPACE, REMOVAL_NAMESPACE, REST_NAMESPACE, STATE_NAMESPACE
from submgr.adapters.records.store import StoredRecords
from submgr.core.errors import FieldError, RefusedError
from submgr.platform.store.base import StoreError
from submgr.runtime.dispatcher import Dispatcher

log = logging.getLogger(__name__)

ORDER = (REST_NAMESPACE, REMOVAL_NAMESPACE, STATE_NAMESPACE, E2_NAMESPACE)
"""An E2 record whose REST record is not there yet would be undone by a start in the middle of an import."""
LARGEST_IMPORT = 16 * 1024 * 1024
"""Bytes of a file as it is sent: in gzip as many subscriptions as there may be, 65,535, have about 10 MB."""
AT_A_TIME = 250
"""Records that are read or written together."""
MOST_PROBLEMS = 20

_KINDS = {kind.namespace: kind for kind in KINDS}


class Imported(Struct):
    """What was imported, or could be: the number of records by their kind; `skipped`: those that cannot be read."""

    records: Counter[str] = field(default_factory=Counter)
    skipped: int = 0


class Backup:
    """Makes a file of the records, and brings one back.

    Nothing is imported unless the whole file is well and none of its ids is in use here. So a file can be brought into
    an empty RIC, or beside subscriptions that are not in it.
    """

    def __init__(self, dispatcher: Dispatcher, records: StoredRecords) -> None:
        self._dispatcher = dispatcher
        self._ids = dispatcher.registry.ids
        self._records = records

    def export(self) -> Iterator[bytes]:
        """The lines of the file. The database goes on being written to: a record is as it is when it is read.

        Raises RefusedError 503 at once when the database does not answer, StoreError when it ceases to.
        """
        try:
            keys = {namespace: sorted(self._records.keys(namespace)) for namespace in ORDER}
        except StoreError as error:
            raise RefusedError(503, f"the database could not be read: {error}") from error
        return self._lines(keys)

    def _lines(self, keys: dict[str, list[str]]) -> Iterator[bytes]:
        yield head_line()
        count = 0
        for namespace in ORDER:
            rest = iter(keys[namespace])
            while piece := list(islice(rest, AT_A_TIME)):
                found = self._records.stored(namespace, piece)
                count += len(found)
                yield b"".join(record_line(namespace, key, found[key]) for key in piece if key in found)
        yield end_line(count)

    def import_(self, body: bytes, dry_run: bool, skip_unreadable: bool) -> Imported:
        """Checks a file, and writes its records unless `dry_run`.

        `skip_unreadable`: records that cannot be read are left out; else they are mistakes.

        Raises RefusedError: 400 for mistakes in the file, 409 when ids are in use, 503 when the database did not take
        the records; nothing is changed then.
        """
        check = _Check(skip_unreadable)
        check.file(body)
        self._refuse_what_is_in_use(check)
        if dry_run:
            return check.imported
        # in the same turn as the check: nobody else may get these ids
        for instance_id, meid in check.instance_ids.items():
            self._ids.claim(instance_id, meid)
        try:
            self._write(check.records_of(body))
        except BaseException:
            for instance_id in check.instance_ids:
                self._ids.release(instance_id)
            raise
        log.warning("records imported", extra={**check.imported.records, "skipped": check.imported.skipped})
        return check.imported

    def _refuse_what_is_in_use(self, check: _Check) -> None:
        registry = self._dispatcher.registry
        live = {rest for worker in self._dispatcher.workers for rest in worker.node.subscriptions.rest}
        taken = [FieldError(f"instance id {each}", "is in use") for each in check.instance_ids if self._ids.taken(each)]
        both = sorted(check.rest_ids & (live | registry.meids.keys()))
        taken += [FieldError(f"SubscriptionId {each}", "is in use") for each in both]
        if taken:
            words = f"{len(taken)} ids of the file are in use here, nothing is imported"
            raise RefusedError(409, words, tuple(taken[:MOST_PROBLEMS]))

    def _write(self, records: Iterable[tuple[str, str, bytes]]) -> None:
        written: list[tuple[str, dict[str, bytes]]] = []
        try:
            for namespace, piece in _pieces(records):
                written.append((namespace, piece))
                self._records.put(namespace, piece)
        except StoreError as error:
            for namespace, piece in written:
                self._records.take_out(namespace, piece)
            raise RefusedError(503, f"the database did not take the records, nothing is imported: {error}") from error


def _pieces(records: Iterable[tuple[str, str, bytes]]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Records of one namespace at a time."""
    current, piece = "", dict[str, bytes]()
    for namespace, key, data in records:
        if piece and (namespace != current or len(piece) == AT_A_TIME):
            yield current, piece
            piece = {}
        current = namespace
        piece[key] = data
    if piece:
        yield current, piece


class _Check:
    """Reads a file wholly. `instance_ids`, with their nodes, and `rest_ids` are those in it."""

    def __init__(self, skip_unreadable: bool) -> None:
        self.imported = Imported()
        self.instance_ids: dict[int, str] = {}
        self.rest_ids: set[str] = set()
        self._skip_unreadable = skip_unreadable
        self._taken: set[tuple[str, str]] = set()
        self._problems: list[FieldError] = []

    def file(self, body: bytes) -> None:
        """Raises RefusedError 400 with what is wrong, by line."""
        try:
            for number, line in read_lines(body):
                # every start finds out anew where the instance ids go on
                if line.namespace != STATE_NAMESPACE:
                    self._record(f"line {number}", line)
                if len(self._problems) == MOST_PROBLEMS:
                    break
        except ValueError as error:
            self._problems.append(FieldError("file", str(error)))
        if self._problems:
            raise RefusedError(400, "the file has mistakes, nothing is imported", tuple(self._problems))

    def records_of(self, body: bytes) -> Iterator[tuple[str, str, bytes]]:
        """Namespace, key and bytes of each record to be written, once the file has been checked."""
        for _, line in read_lines(body):
            if (line.namespace, line.key) in self._taken:
                yield line.namespace, line.key, line.data

    def _record(self, where: str, line: Line) -> None:
        name, kind = (line.namespace, line.key), _KINDS.get(line.namespace)
        if kind is None or name in self._taken:
            why = "is in the file twice" if kind is not None else "no namespace of records"
            self._problems.append(FieldError(where, f"{line.namespace} {line.key}: {why}"))
            return
        try:
            self._take(kind, line.key, line.data)
        except (RecordError, ValueError) as error:
            if self._skip_unreadable:
                self.imported.skipped += 1
            else:
                self._problems.append(FieldError(where, f"{line.namespace} {line.key} cannot be read: {error}"))
            return
        self._taken.add(name)
        self.imported.records[kind.what] += 1

    def _take(self, kind: Kind, key: str, data: bytes) -> None:
        record = kind.decode(key, data)
        if kind.namespace == REST_NAMESPACE:
            self.rest_ids.add(key)
        else:
            self.instance_ids[record.instance_id] = record.meid
