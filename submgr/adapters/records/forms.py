# SPDX-License-Identifier: Apache-2.0
"""The forms of the stored JSON: its fields have the names and the order of the attributes here.

The Go implementation reads and writes the same records, so that either implementation may follow the other on one
database. The Go implementation ignores unknown fields and drops them when it writes: the fields under the comment
`additional` are missing in its records.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from submgr.core.model import MAX_MEID_BYTES, RmrEndpoint

U8 = Annotated[int, Meta(ge=0, le=0xFF)]
U12 = Annotated[int, Meta(ge=0, le=0xFFF)]
U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
InstanceNumber = Annotated[int, Meta(ge=1, le=0xFFFF)]
PortNumber = Annotated[int, Meta(ge=1, le=0xFFFF)]
Text = Annotated[str, Meta(min_length=1)]
NodeName = Annotated[str, Meta(min_length=1, max_length=MAX_MEID_BYTES)]


class Octets(Struct):
    """`Data` in base64, and the number of octets in `Length`. Without octets they are null and 0."""

    Length: U32 = 0
    Data: bytes | None = None


class RequestIdForm(Struct):
    Id: U16
    InstanceId: InstanceNumber


class MeidForm(Struct, kw_only=True):
    PlmnID: str | None = ""
    EnbID: str | None = ""
    RanName: NodeName


class EndpointForm(Struct):
    Addr: Text
    Port: U16


class EndpointList(Struct):
    Endpoints: list[EndpointForm] | None = None


class ActionForm(Struct):
    """`Present`: the action has a subsequent action, in `Type` and `TimetoWait`."""

    ActionId: U8
    ActionType: Annotated[int, Meta(ge=0, le=2)]
    RicActionDefinitionPresent: bool = False
    Data: Octets | None = None
    Present: bool = False
    Type: Annotated[int, Meta(ge=0, le=1)] = 0
    TimetoWait: Annotated[int, Meta(ge=0, le=17)] = 0


class RequestForm(Struct):
    Id: U16
    InstanceId: U32
    FunctionId: U12
    Data: Octets | None
    ActionSetups: Annotated[list[ActionForm], Meta(min_length=1)]


class AdmittedForm(Struct):
    ActionId: U8


class CauseForm(Struct):
    Content: U8
    Value: U32


class NotAdmittedForm(Struct):
    ActionId: U8
    Cause: CauseForm


class AdmittedList(Struct):
    Items: list[AdmittedForm] | None = None


class NotAdmittedList(Struct):
    Items: list[NotAdmittedForm] | None = None


class ResponseForm(Struct):
    """The answer of the E2 node. All fields are zero or null until the node has answered."""

    Id: U32 = 0
    InstanceId: U32 = 0
    FunctionId: U32 = 0
    ActionAdmittedList: AdmittedList | None = None
    ActionNotAdmittedList: NotAdmittedList | None = None


class HolderForm(Struct, kw_only=True):
    """A holder: a REST subscription (the first two fields) or an RMR xApp (the next two)."""

    SubscriptionId: Text | UnsetType = UNSET
    XappEventInstanceId: U16 | UnsetType = UNSET
    RmrEndpoint: EndpointForm | UnsetType = UNSET
    RequestorId: U16 | UnsetType = UNSET
    Endpoint: EndpointForm
    Routed: bool
    Notified: bool


class E2Form(Struct, kw_only=True):
    """An E2 subscription. `SubRespRcvd` is "SubResp" once the E2 node has answered, else ""."""

    Valid: bool | None = True
    ReqId: RequestIdForm
    Meid: MeidForm
    EpList: EndpointList | None = None
    SubReqMsg: RequestForm
    SubRespMsg: ResponseForm | None = None
    SubRespRcvd: str | None = ""
    PolicyUpdate: bool | None = False
    # additional
    Holders: list[HolderForm] | UnsetType | None = UNSET
    Notified: bool | UnsetType = UNSET
    Routes: list[EndpointForm] | UnsetType | None = UNSET
    RestorePending: bool | UnsetType = UNSET
    RoutesUnsure: bool | UnsetType = UNSET


class RestForm(Struct, kw_only=True):
    """A REST subscription. `XAppIdToE2Id` maps XappEventInstanceIds to instance ids.

    Records of old releases lack the first two fields.
    """

    Created: str | None = ""
    XAppServiceName: str | None = ""
    XAppRmrEndPoint: str
    Meid: NodeName
    InstanceIds: list[InstanceNumber] | None = None
    XAppIdToE2Id: dict[U16, InstanceNumber] | None = None
    SubReqOngoing: bool | None = False
    SubDelReqOngoing: bool | None = False
    Md5sum: str | None = ""
    # additional
    HttpPort: PortNumber | UnsetType | None = UNSET
    Digests: list[Text] | UnsetType | None = UNSET
    Owner: Text | UnsetType | None = UNSET


class RemovalForm(Struct):
    """What is left to undo of an E2 subscription. `NodeDelete`: a delete for the E2 node is among it.

    `Since`: when the subscription went, in Unix seconds; 0: not known.
    """

    InstanceId: InstanceNumber
    Meid: NodeName
    FunctionId: U12
    Routes: list[EndpointForm]
    NodeDelete: bool
    RequestorId: U16 = 123
    Since: float = 0.0


class RecordError(Exception):
    """A stored record cannot be read; the text says what is wrong with it."""


Form = TypeVar("Form", bound=Struct)


def read(decoder: msgspec.json.Decoder[Form], data: bytes) -> Form:
    """The decoded form. Raises RecordError, and nothing else, for bytes that are no such form."""
    try:
        return decoder.decode(data)
    except RecursionError:
        raise RecordError("nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordError(str(error)) from error


def checked_id(key: str, instance_id: int) -> int:
    """Raises RecordError unless `key` is this instance id in decimal."""
    if key != str(instance_id):
        raise RecordError(f"InstanceId {instance_id} does not belong under this key")
    return instance_id


def checked_meid(name: str) -> str:
    """Raises RecordError for a name that RMR cannot carry."""
    if len(name.encode()) > MAX_MEID_BYTES:
        raise RecordError(f"node name of more than {MAX_MEID_BYTES} bytes")
    # thousands of records name the same node
    return sys.intern(name)


@lru_cache(maxsize=256)
def endpoint_forms(endpoints: tuple[RmrEndpoint, ...]) -> list[EndpointForm]:
    """The forms of endpoints: the same list for all records that have the same ones, which must not be changed."""
    return list(map(endpoint_form, endpoints))


@lru_cache(maxsize=4096)
def endpoint_form(endpoint: RmrEndpoint) -> EndpointForm:
    """The form of an endpoint: the same one for all records, which must not be changed. A record has it four times."""
    return EndpointForm(endpoint.address, endpoint.port)


def endpoint_of(form: EndpointForm) -> RmrEndpoint:
    return shared_endpoint(form.Addr, form.Port)


@lru_cache(maxsize=4096)
def shared_endpoint(address: str, port: int) -> RmrEndpoint:
    """The endpoint: one object for all records that name it, as far as it is remembered."""
    return RmrEndpoint(address, port)


def endpoints_of(forms: list[EndpointForm] | None) -> tuple[RmrEndpoint, ...]:
    return tuple(map(endpoint_of, forms or ()))
