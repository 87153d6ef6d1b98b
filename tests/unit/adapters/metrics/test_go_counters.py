# SPDX-License-Identifier: Apache-2.0

import pytest
from prometheus_client import CollectorRegistry
from support.adapters.metrics import text_of

from submgr.adapters.metrics.go_counters import GoCounters

_LEGACY = """
SubReqFromXapp SubRespToXapp SubFailToXapp RestSubReqFromXapp RestSubRespToXapp RestSubFailToXapp RestReqRejDueE2Down
RestSubNotifToXapp RestSubFailNotifToXapp SubReqToE2 SubReReqToE2 SubRespFromE2 PartialSubRespFromE2 SubFailFromE2
SubReqTimerExpiry RouteCreateFail RouteCreateUpdateFail MergedSubscriptions DuplicateE2SubReq SubDelReqFromXapp
SubDelRespToXapp RestSubDelReqFromXapp RestSubDelRespToXapp RestSubDelFailToXapp SubDelReqToE2 SubDelReReqToE2
SubDelRespFromE2 SubDelFailFromE2 SubDelReqTimerExpiry SubDelRequiredFromE2 RouteDeleteFail RouteDeleteUpdateFail
UnmergedSubscriptions SDLWriteFailure SDLReadFailure SDLRemoveFailure E2StateChangedToUp E2StateChangedToDown
E2StateChangedToUnderReset
"""
_RMR_COUNTERS = """
RMR_Transmitted RMR_TransmitError RMR_TransmitRetry RMR_Received RMR_ReceiveError RMR_SendWithRetryRetry
"""
LEGACY = _LEGACY.split()
RMR_COUNTERS = _RMR_COUNTERS.split()
RMR_GAUGES = ["RMR_Enqueued", "RMR_Dropped"]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_every_legacy_name_is_there_from_the_start_with_zero_without_labels_or_suffix(registry):
    registry.register(GoCounters())
    lines = text_of(registry).splitlines()
    values = [line for line in lines if not line.startswith("#")]
    assert sorted(values) == sorted(
        [f"SUBMGR_{name} 0" for name in LEGACY] + [f"{name} 0" for name in RMR_COUNTERS + RMR_GAUGES]
    )
    assert "# TYPE SUBMGR_SubReqToE2 counter" in lines
    assert "# TYPE RMR_Received counter" in lines
    assert "# TYPE RMR_Enqueued gauge" in lines
    assert "# HELP SUBMGR_SubReReqToE2 The total number of SubscriptionRequest messages resent to E2Term" in lines
    assert "_total" not in "\n".join(lines)
    for line in lines:
        if line.startswith("# HELP"):
            assert len(line.split(" ", 3)[3]) > 10


def test_a_namespace_comes_before_each_legacy_name(registry):
    registry.register(GoCounters("ricxapp"))
    for line in text_of(registry).splitlines():
        name = line.split()[2] if line.startswith("#") else line.split()[0]
        assert name.startswith(("ricxapp_SUBMGR_", "ricxapp_RMR_"))


def test_counting_and_reading(registry):
    legacy = GoCounters()
    registry.register(legacy)
    legacy.inc("SubReqToE2")
    legacy.inc("SubReqToE2", 1_234_567)
    legacy.inc("RMR_Received", 3)
    enqueued = [7]
    legacy.read_from("RMR_Enqueued", lambda: enqueued[0])
    lines = text_of(registry).splitlines()
    assert "SUBMGR_SubReqToE2 1234568" in lines
    assert "RMR_Received 3" in lines
    assert "RMR_Enqueued 7" in lines
    enqueued[0] = 8
    assert legacy.value("RMR_Enqueued") == 8
    for name in ("SubReqToE3", "SUBMGR_SubReqToE2", "submgr_e2_subscriptions"):
        with pytest.raises(KeyError):
            legacy.inc(name)
        with pytest.raises(KeyError):
            legacy.read_from(name, lambda: 0)
