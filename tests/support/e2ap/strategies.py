# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies for E2AP messages: valid ones, and ones with numbers out of every range."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from submgr.e2ap.causes import GROUPS, GROUPS_OF_1X
from submgr.e2ap.messages import (
    Action,
    ActionType,
    Cause,
    NotAdmitted,
    RequestId,
    SubscriptionDeleteFailure,
    SubscriptionDeleteRequest,
    SubscriptionDeleteRequired,
    SubscriptionDeleteResponse,
    SubscriptionFailure,
    SubscriptionRequest,
    SubscriptionResponse,
    SubscriptionToRemove,
    SubsequentAction,
    SubsequentActionType,
    TimeToWait,
)
from support.examples import examples

MORE = settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""More examples than Hypothesis makes by itself."""

u8 = st.integers(0, 255)
u16 = st.integers(0, 65535)
functions = st.integers(0, 4095)
request_ids = st.builds(RequestId, u16, u16)
octets = st.binary(max_size=300)
causes = st.one_of(
    st.sampled_from(
        [Cause(group, value) for group, (_, root, more) in GROUPS.items() for value in range(len(root + more))]
    ),
    st.builds(Cause, st.integers(1, 6), st.integers(0, 60)),
)
# zero comes back as w1ms, so it is left to its own test.
waits = st.sampled_from(list(TimeToWait)[1:])
subsequents = st.builds(SubsequentAction, st.sampled_from(SubsequentActionType), waits)
actions = st.builds(Action, u8, st.sampled_from(ActionType), st.none() | octets, st.none() | subsequents)
causes_of_1x = st.one_of(
    st.sampled_from(
        [Cause(group, value, 1) for group, (_, root, _) in GROUPS_OF_1X.items() for value in range(len(root))]
    ),
    st.builds(Cause, st.integers(1, 5), st.integers(0, 60), st.just(1)),
)
refused = st.lists(st.builds(NotAdmitted, u8, causes), max_size=16).map(tuple)
refused_by_1x = st.lists(st.builds(NotAdmitted, u8, causes_of_1x), max_size=16).map(tuple)
messages = st.one_of(
    st.builds(
        SubscriptionRequest,
        request_ids,
        functions,
        octets,
        st.lists(actions, min_size=1, max_size=16).map(tuple),
    ),
    st.builds(
        SubscriptionResponse,
        request_ids,
        functions,
        st.lists(u8, min_size=1, max_size=16).map(tuple),
        refused,
    ),
    st.builds(SubscriptionFailure, request_ids, functions, causes, refused_by_1x),
    st.builds(SubscriptionFailure, request_ids, functions, st.none(), refused_by_1x.filter(bool)),
    st.builds(SubscriptionDeleteRequest, request_ids, functions),
    st.builds(SubscriptionDeleteResponse, request_ids, functions),
    st.builds(SubscriptionDeleteFailure, request_ids, functions, causes),
    st.builds(
        SubscriptionDeleteRequired,
        st.lists(st.builds(SubscriptionToRemove, request_ids, functions, causes), min_size=1, max_size=40).map(tuple),
    ),
)

# Numbers that may be out of range everywhere.
wild = st.integers(-2, 70000)
wild_ids = st.builds(RequestId, wild, wild)
wild_causes = st.builds(Cause, st.integers(-1, 9), st.integers(-1, 90))
wild_messages = st.one_of(
    st.builds(
        SubscriptionRequest,
        wild_ids,
        wild,
        octets,
        st.lists(st.builds(Action, wild, st.sampled_from(ActionType)), max_size=18).map(tuple),
    ),
    st.builds(
        SubscriptionResponse,
        wild_ids,
        wild,
        st.lists(st.integers(-1, 257), max_size=18).map(tuple),
        st.lists(st.builds(NotAdmitted, st.integers(-1, 257), wild_causes), max_size=18).map(tuple),
    ),
    st.builds(SubscriptionFailure, request_ids, functions, wild_causes),
    st.builds(SubscriptionDeleteFailure, request_ids, functions, wild_causes),
)
