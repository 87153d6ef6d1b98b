# SPDX-License-Identifier: Apache-2.0
import pytest

from submgr.adapters.metrics.monitoring import monitoring_of
from submgr.adapters.metrics.observer import NOTES, SdlObserver, WorkerObserver
from submgr.adapters.observers import Observers
from submgr.core.commands import Note, Noted


@pytest.mark.parametrize("note", Note)
def test_every_note_of_the_core_is_counted(note: Note) -> None:
    watched = monitoring_of("")
    unconfirmed = {Note.UNCONFIRMED_DELETE: 1.0, Note.CONFIRMED_LATE: -1.0}
    observers = Observers(WorkerObserver(watched.counters, watched.metrics))
    observers.saw("gnb_1", None, [Noted(note, 3)])
    observers.tell()
    if note in unconfirmed:
        assert watched.registry.get_sample_value("submgr_unconfirmed_deletes") == unconfirmed[note]
    else:
        assert watched.counters.value(NOTES[note]) == 3


def test_failures_count_under_the_names_of_the_dashboards() -> None:
    counted: list[str] = []
    seen: list[tuple[str, float]] = []
    watch = SdlObserver(counted.append, lambda operation, seconds: seen.append((operation, seconds)))
    for kind in ("write", "read", "remove"):
        watch.on_failure(kind)
    watch.on_latency("write", 0.25)
    assert counted == ["SDLWriteFailure", "SDLReadFailure", "SDLRemoveFailure"]
    assert seen == [("write", 0.25)]
