# SPDX-License-Identifier: Apache-2.0
"""What the service models have in common: PLMNs, cells, slices, nodes and UEs (E2SM 6.2)."""

from __future__ import annotations

from msgspec import Struct

from submgr.e2sm.bits import BitReader, BitWriter
from submgr.e2sm.choices import Alternative, Choice, Chosen
from submgr.e2sm.per import Bits, FixedBits, Integer, ListOf, Octets, PerType, SizedBits, Text
from submgr.e2sm.sequences import Boxed, part, sequence


class Plmn(Struct, frozen=True):
    """A PLMN identity. A digit that is none is shown as the hex digit it is: some xApps write octets out of order."""

    octets: bytes

    @property
    def digits(self) -> tuple[str, str]:
        """Mobile country code and mobile network code."""
        a, b, c = (f"{octet:02x}" for octet in self.octets)
        return a[1] + a[0] + b[1], c[1] + c[0] + ("" if b[0] == "f" else b[0])

    @property
    def decimal(self) -> bool:
        """Whether all its digits are some."""
        return "".join(self.digits).isdecimal()

    def __str__(self) -> str:
        return "-".join(self.digits) if self.decimal else f"with octets {self.octets.hex()}"


class PlmnType(PerType):
    def read(self, reader: BitReader) -> Plmn:
        plmn = Plmn(reader.octets(3))
        reader.doubtful = reader.doubtful or not plmn.decimal
        return plmn

    def write(self, writer: BitWriter, value: Plmn) -> None:
        Octets(3).write(writer, value.octets)

    def tree(self, value: Plmn) -> dict[str, str]:
        country, network = value.digits
        return {"plmn_hex": value.octets.hex(), "mcc": country, "mnc": network}


PLMN = PlmnType()
UINT32 = Integer(0, 0xFFFFFFFF)
STYLE = FORMAT = Integer()
"""RIC style types and format types: numbers without bounds, and independent of each other."""
NAME = Text(150)
MODEL_ID = Integer(1, 65535, extensible=True)
"""Ids of conditions, events, processes, actions and indications."""


@sequence
class NrCell:
    plmn: Plmn = part(PLMN)
    cell: int = part(FixedBits(36), "nr_cell_id")


@sequence
class EutraCell:
    plmn: Plmn = part(PLMN)
    cell: int = part(FixedBits(28), "eutra_cell_id")


CELL = Choice(Alternative("nr", NrCell), Alternative("eutra", EutraCell), tag="kind")


@sequence
class Slice:
    sst: int = part(FixedBits(8), "sst")
    sd: bytes | None = part(Octets(3), "sd_hex", default=None)


@sequence
class Guami:
    plmn: Plmn = part(PLMN)
    region: int = part(FixedBits(8), "amf_region_id")
    set: int = part(FixedBits(10), "amf_set_id")
    pointer: int = part(FixedBits(6), "amf_pointer")


@sequence
class Gummei:
    plmn: Plmn = part(PLMN)
    group: bytes = part(Octets(2), "mme_group_id_hex")
    code: bytes = part(Octets(1), "mme_code_hex")


@sequence
class GlobalGnb:
    plmn: Plmn = part(PLMN)
    id: Chosen = part(Choice(Alternative("gnb_id", Bits(22, 32))))


NG_ENB_ID = Choice(
    Alternative("macroNgENB-ID", SizedBits(20)),
    Alternative("shortMacroNgENB-ID", SizedBits(18)),
    Alternative("longMacroNgENB-ID", SizedBits(21)),
    tag="ng_enb_id_kind",
    key="ng_enb_id",
)
ENB_ID = Choice(
    Alternative("macro-eNB-ID", SizedBits(20)),
    Alternative("home-eNB-ID", SizedBits(28)),
    Alternative("short-Macro-eNB-ID", SizedBits(18), addition=True),
    Alternative("long-Macro-eNB-ID", SizedBits(21), addition=True),
    tag="enb_id_kind",
    key="enb_id",
)


@sequence
class GlobalNgEnb:
    plmn: Plmn = part(PLMN)
    id: Chosen = part(NG_ENB_ID)


@sequence
class GlobalEnb:
    plmn: Plmn = part(PLMN)
    id: Chosen = part(ENB_ID)


NG_RAN_NODE = Choice(Alternative("gnb", GlobalGnb), Alternative("ng-enb", GlobalNgEnb), tag="kind")
_E1AP_IDS = ListOf(Boxed(UINT32), 65535)
_X2AP_ID = Integer(0, 4095)
_X2AP_ID_EXTENSION = Integer(0, 4095, extensible=True)
_AMF_UE_NGAP_ID = Integer(0, (1 << 40) - 1)


@sequence
class GnbUe:
    amf_ue_ngap_id: int = part(_AMF_UE_NGAP_ID, "amf_ue_ngap_id")
    guami: Guami = part(Guami, "guami")
    f1ap_ids: tuple[int, ...] | None = part(ListOf(Boxed(UINT32), 4), "gnb_cu_ue_f1ap_ids", default=None)
    e1ap_ids: tuple[int, ...] | None = part(_E1AP_IDS, "gnb_cu_cp_ue_e1ap_ids", default=None)
    ran_ue_id: bytes | None = part(Octets(8), "ran_ueid_hex", default=None)
    xnap_id: int | None = part(UINT32, "m_ng_ran_ue_xnap_id", default=None)
    global_gnb_id: GlobalGnb | None = part(GlobalGnb, "global_gnb_id", default=None)
    global_ng_ran_node_id: Chosen | None = part(NG_RAN_NODE, "global_ng_ran_node_id", default=None, addition=True)


@sequence
class GnbDuUe:
    f1ap_id: int = part(UINT32, "gnb_cu_ue_f1ap_id")
    ran_ue_id: bytes | None = part(Octets(8), "ran_ueid_hex", default=None)


@sequence
class GnbCuUpUe:
    e1ap_id: int = part(UINT32, "gnb_cu_cp_ue_e1ap_id")
    ran_ue_id: bytes | None = part(Octets(8), "ran_ueid_hex", default=None)


@sequence
class NgEnbUe:
    amf_ue_ngap_id: int = part(_AMF_UE_NGAP_ID, "amf_ue_ngap_id")
    guami: Guami = part(Guami, "guami")
    w1ap_id: int | None = part(UINT32, "ng_enb_cu_ue_w1ap_id", default=None)
    xnap_id: int | None = part(UINT32, "m_ng_ran_ue_xnap_id", default=None)
    global_ng_enb_id: GlobalNgEnb | None = part(GlobalNgEnb, "global_ng_enb_id", default=None)
    global_ng_ran_node_id: Chosen | None = part(NG_RAN_NODE, "global_ng_ran_node_id", default=None, addition=True)


@sequence
class NgEnbDuUe:
    w1ap_id: int = part(UINT32, "ng_enb_cu_ue_w1ap_id")


@sequence
class EnGnbUe:
    x2ap_id: int = part(_X2AP_ID, "m_enb_ue_x2ap_id")
    x2ap_id_extension: int | None = part(_X2AP_ID_EXTENSION, "m_enb_ue_x2ap_id_extension", default=None)
    global_enb_id: GlobalEnb = part(GlobalEnb, "global_enb_id")
    f1ap_id: int | None = part(UINT32, "gnb_cu_ue_f1ap_id", default=None)
    e1ap_ids: tuple[int, ...] | None = part(_E1AP_IDS, "gnb_cu_cp_ue_e1ap_ids", default=None)
    ran_ue_id: bytes | None = part(Octets(8), "ran_ueid_hex", default=None)


@sequence
class EnbUe:
    s1ap_id: int = part(UINT32, "mme_ue_s1ap_id")
    gummei: Gummei = part(Gummei, "gummei")
    x2ap_id: int | None = part(_X2AP_ID, "m_enb_ue_x2ap_id", default=None)
    x2ap_id_extension: int | None = part(_X2AP_ID_EXTENSION, "m_enb_ue_x2ap_id_extension", default=None)
    global_enb_id: GlobalEnb | None = part(GlobalEnb, "global_enb_id", default=None)


UE = Choice(
    Alternative("gNB-UEID", GnbUe),
    Alternative("gNB-DU-UEID", GnbDuUe),
    Alternative("gNB-CU-UP-UEID", GnbCuUpUe),
    Alternative("ng-eNB-UEID", NgEnbUe),
    Alternative("ng-eNB-DU-UEID", NgEnbDuUe),
    Alternative("en-gNB-UEID", EnGnbUe),
    Alternative("eNB-UEID", EnbUe),
    tag="kind",
)


@sequence
class FunctionName:
    """What a RAN function calls itself: it begins every RAN function definition."""

    short_name: str = part(NAME, "short_name")
    oid: str = part(Text(1000), "oid")
    description: str = part(NAME, "description")
    instance: int | None = part(Integer(), "instance", default=None)


@sequence
class EventTriggerStyle:
    style: int = part(STYLE, "style")
    name: str = part(NAME, "name")
    format: int = part(FORMAT, "format")
