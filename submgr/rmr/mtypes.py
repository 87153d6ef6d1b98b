# SPDX-License-Identifier: Apache-2.0
"""RMR message types of a near-RT RIC platform, with the numbers of RIC_message_types.h."""

from __future__ import annotations

from typing import Final

RMRRM_TABLE_DATA: Final = 20
RMRRM_REQ_TABLE: Final = 21
RMRRM_TABLE_STATE: Final = 22

RIC_HEALTH_CHECK_REQ: Final = 100
RIC_HEALTH_CHECK_RESP: Final = 101
RIC_ALARM: Final = 110
RIC_ALARM_QUERY: Final = 111
RIC_METRICS: Final = 120

RIC_SCTP_CONNECTION_FAILURE: Final = 1080
RIC_SCTP_CLEAR_ALL: Final = 1090
E2_TERM_INIT: Final = 1100
E2_TERM_KEEP_ALIVE_REQ: Final = 1101
E2_TERM_KEEP_ALIVE_RESP: Final = 1102
RAN_CONNECTED: Final = 1200
RAN_RESTARTED: Final = 1210
RAN_RECONFIGURED: Final = 1220

RIC_E2_SETUP_REQ: Final = 12001
RIC_E2_SETUP_RESP: Final = 12002
RIC_E2_SETUP_FAILURE: Final = 12003
RIC_E2_RESET_REQ: Final = 12004
RIC_E2_RESET_RESP: Final = 12005
RIC_E2_RAN_ERROR_INDICATION: Final = 12006
RIC_E2_RIC_ERROR_INDICATION: Final = 12007
RAN_E2_RESET_REQ: Final = 12008
RAN_E2_RESET_RESP: Final = 12009

RIC_SUB_REQ: Final = 12010
RIC_SUB_RESP: Final = 12011
RIC_SUB_FAILURE: Final = 12012
RIC_SUB_DEL_REQ: Final = 12020
RIC_SUB_DEL_RESP: Final = 12021
RIC_SUB_DEL_FAILURE: Final = 12022
RIC_SUB_DEL_REQUIRED: Final = 12023

RIC_SERVICE_UPDATE: Final = 12030
RIC_SERVICE_UPDATE_ACK: Final = 12031
RIC_SERVICE_UPDATE_FAILURE: Final = 12032
RIC_CONTROL_REQ: Final = 12040
RIC_CONTROL_ACK: Final = 12041
RIC_CONTROL_FAILURE: Final = 12042
RIC_INDICATION: Final = 12050
RIC_SERVICE_QUERY: Final = 12060
RIC_E2NODE_CONFIG_UPDATE: Final = 12070
RIC_E2NODE_CONFIG_UPDATE_ACK: Final = 12071
RIC_E2NODE_CONFIG_UPDATE_FAILURE: Final = 12072

A1_POLICY_REQ: Final = 20010
A1_POLICY_RESP: Final = 20011
A1_POLICY_QUERY: Final = 20012

_NAMES: dict[int, str] = {
    number: name for name, number in list(globals().items()) if name.isupper() and isinstance(number, int)
}


def name_of(mtype: int) -> str:
    """The name of a message type, or its number as text when it has none here."""
    return _NAMES.get(mtype, str(mtype))
