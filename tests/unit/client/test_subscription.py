# SPDX-License-Identifier: Apache-2.0
"""What a subscription makes of notifications, without any network."""

from __future__ import annotations

import pytest

from submgr.client.errors import Closed, NotNotified, SubscriptionFailed
from submgr.client.subscription import Subscription
from submgr.client.values import Action, Detail, Directives, Instance

DETAILS = [Detail(number, b"\x01", [Action(1, "report")]) for number in (1, 2)]
FINE = Instance(1, 9)
SILENT = Instance(2, 0, "E2 RICSubscriptionResponse timeout", "SUBMGR", "E2-Timeout")
REFUSED = Instance(2, 0, "RICSubscriptionFailure. E2NodeCause: misc", "E2Node")


class Owner:
    """Posts again by telling what is next in `tells`."""

    resends = 2

    def __init__(self) -> None:
        self.tells: list[list[Instance]] = []
        self.posted = self.pauses = 0

    def pause(self, tried: int) -> None:
        self.pauses += 1

    def post(self, subscription: Subscription) -> None:
        self.posted += 1
        for instance in self.tells.pop(0) if self.tells else []:
            subscription.take(instance)

    def delete(self, subscription: Subscription) -> None:
        pass


@pytest.fixture
def owner() -> Owner:
    return Owner()


def subscription(owner: Owner, directives: Directives | None = None) -> Subscription:
    return Subscription(owner, "name", "gnb_1", 2, DETAILS, directives, None)


def test_outcomes_come_in_the_order_of_the_details(owner: Owner) -> None:
    sub = subscription(owner)
    assert sub.take(Instance(2, 8))
    assert sub.take(FINE)
    assert sub.wait(0) == (FINE, Instance(2, 8))
    assert owner.posted == 0


def test_the_same_again_says_nothing_new(owner: Owner) -> None:
    sub = subscription(owner)
    assert sub.take(FINE)
    assert not sub.take(FINE)
    assert sub.take(Instance(1, 0, "E2 interface down", "E2Node"))
    assert not sub.take(Instance(3, 7))


def test_a_failure_has_its_cause(owner: Owner) -> None:
    sub = subscription(owner)
    sub.take(FINE)
    sub.take(SILENT)
    with pytest.raises(SubscriptionFailed, match="timeout") as caught:
        sub.wait(0)
    failed = caught.value
    assert (failed.error_source, failed.timeout_type) == ("SUBMGR", "E2-Timeout")
    assert (failed.failures, failed.successes) == ((SILENT,), (FINE,))


def test_what_is_missing_is_named_unless_something_failed(owner: Owner) -> None:
    sub = subscription(owner)
    with pytest.raises(NotNotified, match="1, 2") as caught:
        sub.wait(0)
    assert caught.value.missing == (1, 2)
    sub.take(SILENT)
    with pytest.raises(SubscriptionFailed):
        sub.wait(0)


def test_only_what_may_pass_is_sent_again_and_only_when_asked(owner: Owner) -> None:
    sub = subscription(owner)
    for instance in (FINE, SILENT):
        sub.take(instance)
    with pytest.raises(SubscriptionFailed):
        sub.wait(10)
    assert owner.posted == 0
    owner.tells = [[SILENT], [Instance(2, 8)]]
    assert sub.wait(10, resend=2) == (FINE, Instance(2, 8))
    assert (owner.posted, owner.pauses) == (2, 2)
    sub.take(REFUSED)
    with pytest.raises(SubscriptionFailed):
        sub.wait(10, resend=2)
    assert owner.posted == 2


def test_an_update_that_is_refused_changes_nothing(owner: Owner) -> None:
    sub = subscription(owner)
    sub.take(FINE)
    before = sub.details

    def refuse(subscription: Subscription) -> None:
        raise RuntimeError("refused")

    owner.post = refuse  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        sub.update(DETAILS[:1])
    assert sub.details == before
    assert sub.instances == {1: FINE}


def test_who_waits_for_what_has_ended_is_told(owner: Owner) -> None:
    sub = subscription(owner)
    sub.end()
    with pytest.raises(Closed):
        sub.wait(10)


def test_the_wait_of_the_user_guide(owner: Owner) -> None:
    """t >= 3 * 2 s * count, and with directives what they say."""
    assert subscription(owner).recommended_wait == 12.0
    assert subscription(owner, Directives(timeout=1, retries=0)).recommended_wait == 2.0
    assert subscription(owner, Directives(timeout=10, retries=10)).recommended_wait == 220.0
