# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import suppress

from submgr.platform.store.base import Change
from submgr.platform.store.ledger import Ledger, effect_of, split

NS = "ns"


def acknowledged(ledger: Ledger, **values: bytes | None) -> None:
    ledger.sending(dict(values))
    ledger.sent()
    ledger.acknowledged(*split(dict(values)))


def known(values: dict[str, bytes]) -> Ledger:
    """Of a namespace that was read as a whole."""
    ledger = Ledger()
    with ledger.reading_all() as found:
        found.update(values)
    return ledger


def test_a_later_change_of_a_key_wins() -> None:
    changes = [
        Change(NS, {"a": b"1", "b": b"1"}),
        Change(NS, {"c": b"2"}, frozenset({"a"})),
        Change(NS, {"a": b"3"}, frozenset({"b"})),
    ]
    effect = effect_of(changes)
    assert effect == {"a": b"3", "b": None, "c": b"2"}
    assert split(effect) == ({"a": b"3", "c": b"2"}, ["b"])


def test_an_unknown_outcome_goes_back_to_what_was_held() -> None:
    ledger = known({"old": b"0"})
    ledger.failed(Change(NS, {"old": b"1", "new": b"1"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"old": b"0", "new": None}]


def test_a_second_unknown_outcome_changes_nothing_of_that() -> None:
    ledger = known({"k": b"0"})
    for value in (b"1", b"2"):
        ledger.failed(Change(NS, {"k": value}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"k": b"0"}]


def test_a_refused_change_needs_no_repair() -> None:
    ledger = known({"k": b"0"})
    ledger.failed(Change(NS, {"k": b"1"}), persistent=False, unknown=False)
    assert ledger.repairs_pending == 0


def test_a_persistent_change_stays_wanted() -> None:
    ledger = known({"k": b"0"})
    ledger.failed(Change(NS, remove=frozenset({"k"})), persistent=True, unknown=False)
    # neither a refused nor an unknown later change takes that back
    ledger.failed(Change(NS, {"k": b"1"}), persistent=False, unknown=False)
    ledger.failed(Change(NS, {"k": b"2"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"k": None}]
    ledger.failed(Change(NS, {"k": b"3"}), persistent=True, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"k": b"3"}]


def test_an_acknowledged_change_makes_older_repairs_void() -> None:
    ledger = known({})
    ledger.failed(Change(NS, {"a": b"1", "b": b"1"}), persistent=True, unknown=True)
    acknowledged(ledger, a=b"2")
    assert list(ledger.repairs(10, 10**6)) == [{"b": b"1"}]
    ledger.failed(Change(NS, {"a": b"3"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"b": b"1", "a": b"2"}]


def test_a_removed_key_is_gone_back_to_as_removed() -> None:
    ledger = known({"k": b"0"})
    acknowledged(ledger, k=None)
    ledger.failed(Change(NS, {"k": b"1"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"k": None}]


def test_reads_show_what_is_going_to_be_held() -> None:
    ledger = known({"a": b"0", "b": b"0"})
    ledger.failed(Change(NS, {"a": b"1", "new": b"1"}), persistent=False, unknown=True)
    ledger.failed(Change(NS, {"c": b"2"}, frozenset({"b"})), persistent=True, unknown=False)
    late = {"a": b"1", "b": b"0", "new": b"1"}
    assert ledger.corrected(late) == {"a": b"0", "c": b"2"}
    assert ledger.corrected({"new": b"1"}, ["new", "c"]) == {"c": b"2"}
    ledger.forget_repairs()
    assert ledger.corrected(late) == late


def test_keys_nobody_has_read_or_written_are_unseen() -> None:
    ledger = Ledger()
    acknowledged(ledger, a=b"1", b=None)
    assert ledger.unseen({"a": b"2", "b": b"2", "c": b"2"}) == ["b", "c"]
    ledger.seen({"c": b"0"})
    assert ledger.unseen({"b": b"2", "c": b"2"}) == ["b"]
    assert known({}).unseen({"b": b"2"}) == []


def test_a_read_of_all_does_not_overtake_what_is_written_meanwhile() -> None:
    ledger = Ledger()
    acknowledged(ledger, sent_before=b"0", sent_during=b"0", removed=b"0")
    ledger.sending({"sent_before": b"1"})
    with ledger.reading_all() as found:
        ledger.sent()
        ledger.failed(Change(NS, {"sent_before": b"1"}), persistent=False, unknown=True)
        acknowledged(ledger, sent_during=b"1", removed=None)
        found.update(sent_before=b"1", sent_during=b"0", removed=b"0", other=b"0")
    ledger.failed(Change(NS, {"sent_during": b"2", "removed": b"2", "other": b"2"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [
        {"sent_before": b"0", "sent_during": b"1", "removed": None, "other": b"0"}
    ]


def test_a_read_of_all_that_failed_teaches_nothing() -> None:
    ledger = Ledger()
    try:
        with ledger.reading_all():
            raise OSError
    except OSError:
        pass
    assert ledger.unseen({"k": b""}) == ["k"]


def test_a_read_of_all_is_not_taken_for_another_one_that_began_later_and_failed() -> None:
    ledger = Ledger()
    with ledger.reading_all() as found:
        with suppress(OSError), ledger.reading_all():
            raise OSError
        acknowledged(ledger, k=b"1")
        found.update(k=b"0")
    ledger.failed(Change(NS, {"k": b"2"}), persistent=False, unknown=True)
    assert list(ledger.repairs(10, 10**6)) == [{"k": b"1"}]


def test_repairs_come_in_pieces() -> None:
    ledger = known({})
    ledger.failed(Change(NS, {f"{n}": b"" for n in range(5)}), persistent=True, unknown=True)
    assert [len(piece) for piece in ledger.repairs(2, 10**6)] == [2, 2, 1]
    assert ledger.repairs_pending == 5


def test_a_loss_has_everything_written_anew_and_what_came_back_removed() -> None:
    ledger = known({"a": b"0", "b": b"0"})
    acknowledged(ledger, a=b"1", removed=None)
    ledger.failed(Change(NS, {"b": b"wanted"}), persistent=True, unknown=False)
    ledger.lost({"a", "removed"})
    assert list(ledger.repairs(10, 10**6)) == [{"removed": None, "a": b"1", "b": b"wanted"}]


def test_a_loss_of_a_namespace_that_is_not_known_as_a_whole_removes_nothing() -> None:
    ledger = Ledger()
    acknowledged(ledger, a=b"1")
    ledger.lost({"a", "somebody's"})
    assert list(ledger.repairs(10, 10**6)) == [{"a": b"1"}]


def test_a_read_of_a_database_that_is_just_losing_its_values_teaches_nothing() -> None:
    ledger = known({"a": b"0"})
    with ledger.reading_all() as found:
        found.clear()
    ledger.lost(())
    assert list(ledger.repairs(10, 10**6)) == [{"a": b"0"}]


def test_what_another_process_writes_is_followed() -> None:
    ledger = known({"a": b"0", "b": b"0"})
    ledger.followed({"a": None, "c": b"1"})
    ledger.lost(())
    assert list(ledger.repairs(10, 10**6)) == [{"b": b"0", "c": b"1"}]
    with ledger.reading_all(anew=True) as found:
        found["d"] = b"2"
    ledger.forget_repairs()
    ledger.lost(())
    assert list(ledger.repairs(10, 10**6)) == [{"d": b"2"}]


def test_a_piece_is_as_large_as_its_bytes_allow_and_as_new_as_its_turn() -> None:
    ledger = known({})
    ledger.failed(Change(NS, dict.fromkeys("abcd", b"12345")), persistent=True, unknown=True)
    pieces = ledger.repairs(100, 10)
    assert next(pieces).keys() == {"a", "b"}
    acknowledged(ledger, c=b"newer")
    assert list(pieces) == [{"d": b"12345"}]
