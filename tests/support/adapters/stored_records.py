# SPDX-License-Identifier: Apache-2.0
"""Stored records as the Go implementation writes them, and strategies for what all records have."""

from __future__ import annotations

from hypothesis import strategies as st

from submgr.core.model import Removal, RmrEndpoint

GO_E2 = (
    b'{"Valid":true,"ReqId":{"Id":12345,"InstanceId":1},'
    b'"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_208_092_000001"},'
    b'"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":4560}]},'
    b'"SubReqMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"Data":{"Length":4,"Data":"AQIDBA=="},'
    b'"ActionSetups":[{"ActionId":1,"ActionType":0,"RicActionDefinitionPresent":true,'
    b'"Data":{"Length":4,"Data":"BQYHCA=="},"Present":true,"Type":0,"TimetoWait":4}]},'
    b'"SubRespMsg":{"Id":123,"InstanceId":1,"FunctionId":2,"ActionAdmittedList":{"Items":[{"ActionId":1}]},'
    b'"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"SubResp","PolicyUpdate":false}'
)
GO_UNCOMPLETED = (
    b'{"Valid":true,"ReqId":{"Id":12345,"InstanceId":7},'
    b'"Meid":{"PlmnID":"","EnbID":"","RanName":"gnb_208_092_000001"},'
    b'"EpList":{"Endpoints":[{"Addr":"127.0.0.1","Port":0}]},'
    b'"SubReqMsg":{"Id":123,"InstanceId":7,"FunctionId":0,"Data":{"Length":0,"Data":null},'
    b'"ActionSetups":[{"ActionId":0,"ActionType":2,"RicActionDefinitionPresent":false,'
    b'"Data":{"Length":0,"Data":null},"Present":false,"Type":0,"TimetoWait":0}]},'
    b'"SubRespMsg":{"Id":0,"InstanceId":0,"FunctionId":0,"ActionAdmittedList":{"Items":null},'
    b'"ActionNotAdmittedList":{"Items":null}},"SubRespRcvd":"","PolicyUpdate":true}'
)
GO_REST = (
    b'{"Created":"2026-11-22 00:33:40.850","XAppServiceName":"127.0.0.1","XAppRmrEndPoint":"127.0.0.1:4560",'
    b'"Meid":"gnb_208_092_000001","InstanceIds":[1],"XAppIdToE2Id":{"12345":1},"SubReqOngoing":false,'
    b'"SubDelReqOngoing":false,"Md5sum":"4a6e0f0b6b8dbb8e0f8d1c6a2f0b1a3c"}'
)
ENDPOINT = RmrEndpoint("127.0.0.1", 4560)
REST_ID = "2Q8c0sTqLhYQ0OJnZ7sYJxFyYzA"

REMOVAL = Removal(5, "gnb_208_092_000001", 2, (ENDPOINT, RmrEndpoint("::1", 4570)), node_delete=True)

endpoints = st.builds(RmrEndpoint, st.text(min_size=1, max_size=20), st.integers(0, 65535))
numbers = st.integers(0, 65535)
rest_ids = st.text(min_size=1, max_size=27)
meids = st.text(min_size=1, max_size=7)
