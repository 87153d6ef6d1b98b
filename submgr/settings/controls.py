# SPDX-License-Identifier: Apache-2.0
"""The settings of the section `controls`: timers, retries, limits and policies of the procedures."""

from dataclasses import dataclass

from submgr.platform.config.schema import setting
from submgr.platform.config.values import milliseconds, number, one_of, truth, whole
from submgr.settings.kinds import Merging, delete_waits, hours, merging

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Controls:
    """The controls of procedures. A procedure takes the values of the time at which it starts."""

    e2t_sub_req_timeout: float = setting(
        "e2tSubReqTimeout_ms",
        milliseconds(1, _HOUR),
        2.0,
        "how long one send of a RIC Subscription Request waits for its answer",
        go=True,
        instead=2.0,
    )
    e2t_sub_del_req_time: float = setting(
        "e2tSubDelReqTime_ms",
        milliseconds(1, _HOUR),
        2.0,
        "how long one send of a RIC Subscription Delete Request waits for its answer",
        go=True,
        instead=2.0,
    )
    e2t_max_sub_req_try_count: int = setting(
        "e2tMaxSubReqTryCount", whole(1, 1000), 2, "sends of a RIC Subscription Request in all", go=True, instead=1
    )
    e2t_max_sub_del_req_try_count: int = setting(
        "e2tMaxSubDelReqTryCount",
        whole(1, 1000),
        2,
        "sends of a RIC Subscription Delete Request in all",
        go=True,
        instead=1,
    )
    check_e2_state: bool = setting(
        "checkE2State", truth, True, "false: every E2 node counts as connected", go=True, instead=True
    )
    check_e2_ie_order: bool = setting(
        "checkE2IEOrder", truth, True, "false: an answer whose elements are out of order is taken", go=True
    )
    read_subs_from_db: bool = setting(
        "readSubsFromDb", truth, True, "restore subscriptions at the start", go=True, instead=True
    )
    db_try_count: int = setting(
        "dbTryCount",
        whole(1, 1_000_000),
        200,
        "tries to read the stored subscriptions, one a second, unless dbRetryForever",
        go=True,
        instead=200,
    )
    db_retry_forever: bool = setting(
        "dbRetryForever", truth, True, "wait for the database as long as it takes", go=True, instead=True
    )
    max_ongoing_e2_procedures: int = setting(
        "maxOngoingE2Procedures",
        whole(1, 10_000),
        1,
        "procedures at a time per E2 node; the standard way is one",
    )
    ric_requestor_id: int = setting("ricRequestorId", whole(0, 65535), 123, "ricRequestorID in requests to E2 nodes")
    on_e2_loss: str = setting(
        "onE2Loss",
        one_of("drop", "notify", "restore"),
        "drop",
        "a lost node's subscriptions: drop; notify: drop and tell xApps; restore: subscribe again when it is back",
    )
    restore_delay: float = setting(
        "restoreDelay_ms",
        milliseconds(0, 600_000),
        0.5,
        "how long an E2 node that came back is left alone before it is sent what it has not asked for",
    )
    check_ran_function: bool = setting(
        "checkRanFunction",
        truth,
        False,
        "true: a POST for a RAN function that the E2 node does not have is refused; false: a warning in the log",
    )
    tell_loss: bool = setting(
        "tellLoss", truth, False, "tell xApps when a Delete Required, or onE2Loss drop, takes their subscription"
    )
    merge_subscriptions: Merging = setting(
        "mergeSubscriptions",
        merging,
        Merging(),
        "equal REPORT subscriptions of several xApps are one at the E2 node; per function: {default: true, 2: false}",
    )
    silent_nodes: tuple[str, ...] = setting(
        "deleteWaits",
        delete_waits,
        (),
        "sent: a delete holds up the E2 node's queue only until it is sent; per node: {gnb_734_*: sent}",
    )
    unconfirmed_routes: float = setting(
        "unconfirmedRouteHours",
        hours(0, 8760),
        86_400.0,
        "how long a route removal that the Routing Manager answers with 204 (nothing removed) is repeated",
    )
    orphan_after: float = setting(
        "orphanAfter",
        number(0, 31_536_000, "s"),
        0.0,
        "how long the name of an xApp's RMR host must not resolve before its subscriptions count as orphans; 0: never",
    )
    remove_orphans: bool = setting(
        "removeOrphans", truth, False, "delete the subscriptions of xApps that have been gone for orphanAfter; 0: never"
    )
    reconcile: float = setting(
        "reconcile",
        number(0, 86_400, "s"),
        60.0,
        "how often subscriptions are compared with the database and with what the Routing Manager was told; 0: never",
    )
    notification_queue: int = setting(
        "notificationQueue",
        whole(1, 10_000_000),
        10_000,
        "notifications that may wait per xApp endpoint; beyond it a request is refused with 503",
    )
