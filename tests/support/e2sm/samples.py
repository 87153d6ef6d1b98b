# SPDX-License-Identifier: Apache-2.0
"""Octets of bodies that xApps and E2 nodes send, or that other codecs write, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """`version`: one of those in which the octets read so. `canonical`: what an encoder writes, if that differs."""

    name: str
    model: str
    body: str
    version: str
    octets: str
    tree: Any
    flexric: bool = False
    canonical: str = ""


SAMPLES = [
    Sample(
        "kpm 2.00 event trigger 10000 ms",
        "KPM",
        "event_trigger",
        "2.00",
        "08270f",
        {"format": 1, "report_period_ms": 10000},
    ),
    Sample(
        "kpm 3.00 event trigger 16777217 ms",
        "KPM",
        "event_trigger",
        "3.00",
        "1801000000",
        {"format": 1, "report_period_ms": 16777217},
    ),
    Sample(
        "names and ids mixed, nr cell of a three digit network code",
        "KPM",
        "action_definition",
        "2.00",
        (
            "00010108000200b05252552e507262546f74446c012000002000270120000000b05252432e436f6e6e4d65616e0120000040"
            "03e700130014fedcba9870"
        ),
        {
            "style": 1,
            "format": 1,
            "measurements": [
                {"name": "RRU.PrbTotDl", "labels": [{"no_label": True}]},
                {"id": 40, "labels": [{"no_label": True}]},
                {"name": "RRC.ConnMean", "labels": [{"no_label": True}]},
            ],
            "granularity_ms": 1000,
            "cell": {"kind": "nr", "plmn_hex": "130014", "mcc": "310", "mnc": "410", "nr_cell_id": 68414056839},
        },
    ),
    Sample(
        "v2.00 condition list label and test",
        "KPM",
        "action_definition",
        "2.00",
        "00010340000000a04452422e5545546870446c0001040000404000000a4810019c4003e7",
        {
            "style": 3,
            "format": 3,
            "measurements": [
                {
                    "name": "DRB.UEThpDl",
                    "conditions": [
                        {"label": {"slice": {"sst": 1, "sd_hex": "00000a"}}},
                        {"test": "rSRP", "expression": "greaterthan", "value": {"int": -100}},
                    ],
                }
            ],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "common condition rSRP (v2.01: no or)",
        "KPM",
        "action_definition",
        "2.01",
        "000104801e000000102001a600000000a04452422e5545546870446c012000004003e7",
        {
            "style": 4,
            "format": 4,
            "ue_conditions": [{"test": "rSRP", "expression": "greaterthan", "value": {"int": -90}}],
            "measurements": [{"name": "DRB.UEThpDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "all root labels and the three v2.03 additions",
        "KPM",
        "action_definition",
        "2.03",
        (
            "00010100000000a04c314d2e53532d52535250015ffffe00f110404000000100090a070806700000fa00000400007a0001c7"
            "0003142017030000020300000101404001f3"
        ),
        {
            "style": 1,
            "format": 1,
            "measurements": [
                {
                    "name": "L1M.SS-RSRP",
                    "labels": [
                        {
                            "plmn": {"plmn_hex": "00f110", "mcc": "001", "mnc": "01"},
                            "slice": {"sst": 1, "sd_hex": "000001"},
                            "five_qi": 9,
                            "qfi": 5,
                            "qci": 7,
                            "qci_max": 8,
                            "qci_min": 6,
                            "arp_max": 15,
                            "arp_min": 1,
                            "bitrate_range": 251,
                            "layer_mu_mimo": 5,
                            "sum": True,
                            "dist_bin_x": 123,
                            "dist_bin_y": 456,
                            "dist_bin_z": 789,
                            "pre_label_override": True,
                            "start_end": "end",
                            "min": True,
                            "max": True,
                            "avg": True,
                            "ssb_index": 3,
                            "non_gob_bf_mode_index": 2,
                            "mimo_mode_index": 2,
                        }
                    ],
                }
            ],
            "granularity_ms": 500,
        },
    ),
    Sample(
        "en-gnb ue with short macro enb id",
        "KPM",
        "action_definition",
        "2.03",
        "0001022520000c0000f1108003005540000300000000a04452422e5545546870446c012000004003e7",
        {
            "style": 2,
            "format": 2,
            "ue": {
                "kind": "en-gNB-UEID",
                "m_enb_ue_x2ap_id": 12,
                "global_enb_id": {
                    "plmn_hex": "00f110",
                    "mcc": "001",
                    "mnc": "01",
                    "enb_id_kind": "short-Macro-eNB-ID",
                    "enb_id": {"bits": 18, "value": 341},
                },
                "gnb_cu_ue_f1ap_id": 3,
            },
            "measurements": [{"name": "DRB.UEThpDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "or of two tests and a label",
        "KPM",
        "action_definition",
        "2.03",
        "00010340000100a04452422e5545546870446c000256820001920b810100200105008000000120000b00000400000803e7",
        {
            "style": 3,
            "format": 3,
            "measurements": [
                {
                    "name": "DRB.UEThpDl",
                    "conditions": [
                        {"test": "rSRP", "expression": "lessthan", "value": {"int": -110}, "logical_or": True},
                        {"test": "cQI", "expression": "lessthan", "value": {"int": 5}},
                        {"label": {"five_qi": 1}},
                    ],
                },
                {"id": 12, "conditions": [{"label": {"no_label": True}}]},
            ],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "common conditions slice or 5qi",
        "KPM",
        "action_definition",
        "2.03",
        (
            "000104804c000001b84001000001010101003820010000010900000101204452422e50646370536475566f6c756d65444c01"
            "20000001204452422e50646370536475566f6c756d65554c012000004003e7"
        ),
        {
            "style": 4,
            "format": 4,
            "ue_conditions": [
                {"test": "sNSSAI", "expression": "equal", "value": {"int": 1}, "logical_or": True},
                {"test": "fiveQI", "expression": "equal", "value": {"int": 9}},
            ],
            "measurements": [
                {"name": "DRB.PdcpSduVolumeDL", "labels": [{"no_label": True}]},
                {"name": "DRB.PdcpSduVolumeUL", "labels": [{"no_label": True}]},
            ],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "three du ues",
        "KPM",
        "action_definition",
        "2.03",
        "00010581270000010800000800ff090001000000000000c05252552e50726255736564446c012000004003e7",
        {
            "style": 5,
            "format": 5,
            "ues": [
                {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 0},
                {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 255},
                {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 65536},
            ],
            "measurements": [{"name": "RRU.PrbUsedDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 1000,
        },
    ),
    Sample(
        "flexric format5 two du ues",
        "KPM",
        "action_definition",
        "2.03",
        "00010540000008000108000200000000a04452422e5545546870446c012000004003e7",
        {
            "style": 5,
            "format": 5,
            "ues": [{"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 1}, {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 2}],
            "measurements": [{"name": "DRB.UEThpDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 1000,
        },
        flexric=True,
    ),
    Sample(
        "srsran simple_mon style1 one throughput",
        "KPM",
        "action_definition",
        "3.00",
        "00010100000000a04452422e5545546870446c012000000063",
        {
            "style": 1,
            "format": 1,
            "measurements": [{"name": "DRB.UEThpDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 100,
        },
    ),
    Sample(
        "flexric format1 with cell",
        "KPM",
        "action_definition",
        "3.00",
        "00010104000000b05252552e507262546f74446c012000004003e70000f1100000030390",
        {
            "style": 1,
            "format": 1,
            "measurements": [{"name": "RRU.PrbTotDl", "labels": [{"no_label": True}]}],
            "granularity_ms": 1000,
            "cell": {"kind": "nr", "plmn_hex": "00f110", "mcc": "001", "mnc": "01", "nr_cell_id": 12345},
        },
        flexric=True,
    ),
    Sample(
        "gnb ue with addition global ng-ran node id",
        "KPM",
        "action_definition",
        "3.00",
        "000102208000050000f11001008301080000f11000fffffc00000000a04452422e5545546870556c0120000000f9",
        {
            "style": 2,
            "format": 2,
            "ue": {
                "kind": "gNB-UEID",
                "amf_ue_ngap_id": 5,
                "guami": {
                    "plmn_hex": "00f110",
                    "mcc": "001",
                    "mnc": "01",
                    "amf_region_id": 1,
                    "amf_set_id": 2,
                    "amf_pointer": 3,
                },
                "global_ng_ran_node_id": {
                    "kind": "gnb",
                    "plmn_hex": "00f110",
                    "mcc": "001",
                    "mnc": "01",
                    "gnb_id": {"bits": 22, "value": 4194303},
                },
            },
            "measurements": [{"name": "DRB.UEThpUl", "labels": [{"no_label": True}]}],
            "granularity_ms": 250,
        },
    ),
    Sample(
        "flexric keysight format3 5qi",
        "KPM",
        "action_definition",
        "3.00",
        "00010320000000704452422e5545546870446c2e514f53000000800000834003e7",
        {
            "style": 3,
            "format": 3,
            "measurements": [{"name": "DRB.UEThpDl.QOS", "conditions": [{"label": {"five_qi": 131}}]}],
            "granularity_ms": 1000,
        },
        flexric=True,
    ),
    Sample(
        "name only",
        "KPM",
        "ran_function",
        "2.03",
        (
            "00304f52414e2d4532534d2d4b504d000018312e332e362e312e342e312e35333134382e312e322e322e3205004b504d204d"
            "6f6e69746f72"
        ),
        {"short_name": "ORAN-E2SM-KPM", "oid": "1.3.6.1.4.1.53148.1.2.2.2", "description": "KPM Monitor"},
    ),
    Sample(
        "e1 bearer setup both ways",
        "NI",
        "event_trigger",
        "1.00",
        "0a8000f110500000019b800fffffffff4a0880",
        {
            "format": 1,
            "interface": "e1",
            "interface_id": {
                "kind": "gnb-cu-up",
                "ng_ran_node": {
                    "kind": "gnb",
                    "plmn_hex": "00f110",
                    "mcc": "001",
                    "mnc": "01",
                    "gnb_id": {"bits": 32, "value": 411},
                },
                "gnb_cu_up_id": 68719476735,
            },
            "direction": "both",
            "message": {"interface": "e1", "procedure_code": 8, "type": "successful-outcome"},
        },
    ),
    Sample(
        "s1 with octets and string tests",
        "NI",
        "event_trigger",
        "1.00",
        "200000f11040001a2d02000c4c001a3402074100004305037461630000001101fe00ffff2302c0",
        {
            "format": 1,
            "interface": "s1",
            "interface_id": {
                "kind": "enb",
                "plmn_hex": "00f110",
                "mcc": "001",
                "mnc": "01",
                "enb_id_kind": "home-eNB-ID",
                "enb_id": {"bits": 28, "value": 107216},
            },
            "direction": "outgoing",
            "message": {"interface": "s1", "procedure_code": 12, "type": "initiating-message"},
            "ie_tests": [
                {"ie_id": 26, "test": "contains", "value": {"octets_hex": "0741"}},
                {"ie_id": 67, "test": "equal", "value": {"string": "tac"}},
                {"ie_id": 0, "test": "greaterthan", "value": {"enum": -2}},
                {"ie_id": 65535, "test": "lessthan", "value": {"bits": {"bits": 2, "hex": "c0"}}},
            ],
        },
    ),
    Sample(
        "policy style1 one ue group",
        "NI",
        "action_definition",
        "1.00",
        "00010150000140000100000100010900000210019c40000000000a28",
        {
            "style": 1,
            "format": 2,
            "ue_groups": [
                {
                    "group_id": 1,
                    "definition": [
                        {"parameter_id": 1, "test": "equal", "value": {"int": 9}},
                        {"parameter_id": 2, "test": "greaterthan", "value": {"int": -100}},
                    ],
                    "policy": [{"parameter_id": 10, "value": {"bool": True}}],
                }
            ],
        },
    ),
    Sample(
        "one interface, nothing else",
        "NI",
        "ran_function",
        "1.00",
        (
            "40584f52414e2d4532534d2d4e49000018312e332e362e312e342e312e35333134382e312e312e322e3108004e6574776f72"
            "6b20496e746572666163650000"
        ),
        {
            "short_name": "ORAN-E2SM-NI",
            "oid": "1.3.6.1.4.1.53148.1.1.2.1",
            "description": "Network Interface",
            "interfaces": [{"interface": "s1"}],
        },
    ),
    Sample(
        "style2 FlexRIC keysight",
        "RC",
        "action_definition",
        "1.03",
        "00010200000100008006011c00000008541009804c697374206f66205044552053657373696f6e73",
        {
            "style": 2,
            "format": 1,
            "report_parameters": [
                {"parameter_id": 1},
                {"parameter_id": 7, "definition": {"list": [{"parameter_id": 21521, "name": "List of PDU Sessions"}]}},
            ],
        },
    ),
    Sample(
        "style5 on demand big ids",
        "RC",
        "action_definition",
        "1.03",
        "00010500000200ff2001000030fffffffe",
        {
            "style": 5,
            "format": 1,
            "report_parameters": [{"parameter_id": 256}, {"parameter_id": 65537}, {"parameter_id": 4294967295}],
        },
    ),
    Sample(
        "policy all value kinds",
        "RC",
        "action_definition",
        "1.03",
        "00010120000010fffe000500000000010101ff0002298004f0032a800663656c6c2d3100042000052880050100000000",
        {
            "style": 1,
            "format": 2,
            "policies": [
                {
                    "action_id": 65535,
                    "parameters": [
                        {"parameter_id": 1, "element_key": True, "value": {"bool": False}},
                        {"parameter_id": 2, "element_key": True, "value": {"int": -1}},
                        {"parameter_id": 3, "element_key": False, "value": {"bits": {"bits": 4, "hex": "f0"}}},
                        {"parameter_id": 4, "element_key": False, "value": {"string": "cell-1"}},
                        {"parameter_id": 5, "element_key": False},
                        {"parameter_id": 6, "element_key": False, "value": {"int": 4294967296}},
                    ],
                }
            ],
        },
    ),
    Sample(
        "policy slice prb quota, two policies",
        "RC",
        "action_definition",
        "1.03",
        (
            "000102200001100005000000006000004000030002440000000460000040000100062a000300f110000744000100082a0001"
            "0100092a0003000001000a2880010a000b28800150000c28800132200000010140"
        ),
        {
            "style": 2,
            "format": 2,
            "policies": [
                {
                    "action_id": 6,
                    "parameters": [
                        {
                            "parameter_id": 1,
                            "list": [
                                [
                                    {
                                        "parameter_id": 3,
                                        "structure": [
                                            {
                                                "parameter_id": 5,
                                                "list": [
                                                    [
                                                        {
                                                            "parameter_id": 7,
                                                            "element_key": False,
                                                            "value": {"octets_hex": "00f110"},
                                                        },
                                                        {
                                                            "parameter_id": 8,
                                                            "structure": [
                                                                {
                                                                    "parameter_id": 9,
                                                                    "element_key": False,
                                                                    "value": {"octets_hex": "01"},
                                                                },
                                                                {
                                                                    "parameter_id": 10,
                                                                    "element_key": False,
                                                                    "value": {"octets_hex": "000001"},
                                                                },
                                                            ],
                                                        },
                                                    ]
                                                ],
                                            }
                                        ],
                                    },
                                    {"parameter_id": 11, "element_key": False, "value": {"int": 10}},
                                    {"parameter_id": 12, "element_key": False, "value": {"int": 80}},
                                    {"parameter_id": 13, "element_key": False, "value": {"int": 50}},
                                ]
                            ],
                        }
                    ],
                },
                {"action_id": 1, "decision": "reject"},
            ],
        },
    ),
    Sample(
        "policy style2 accept with condition",
        "RC",
        "action_definition",
        "1.03",
        "000102200000700005000000002880010a010100011053fe6821019c00106100",
        {
            "style": 2,
            "format": 2,
            "policies": [
                {
                    "action_id": 6,
                    "parameters": [{"parameter_id": 1, "element_key": False, "value": {"int": 10}}],
                    "decision": "accept",
                    "condition": [
                        {
                            "parameter_id": 21503,
                            "element_key": False,
                            "comparison": "greaterthan",
                            "value": {"int": -100},
                        },
                        {"parameter_id": 17, "element_key": False, "presence": "present"},
                    ],
                }
            ],
        },
    ),
    Sample(
        "insert several styles format4",
        "RC",
        "action_definition",
        "1.03",
        "000200ff802a410001030000000000000000010404000000010000800101082000000002000078000001000000081005",
        {
            "style": 255,
            "format": 4,
            "insert_styles": [
                {"insert_style": 3, "indications": [{"insert_indication_id": 1, "parameters": [{"parameter_id": 1}]}]},
                {
                    "insert_style": 4,
                    "indications": [
                        {
                            "insert_indication_id": 1,
                            "parameters": [
                                {"parameter_id": 1},
                                {"parameter_id": 2, "definition": {"structure": [{"parameter_id": 3, "name": "x"}]}},
                            ],
                        },
                        {"insert_indication_id": 2, "parameters": [{"parameter_id": 9}]},
                    ],
                },
            ],
            "ue": {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 5},
        },
    ),
    Sample(
        "flexric insert several styles format4",
        "RC",
        "action_definition",
        "1.03",
        "000200ff6000010300000000000000",
        {
            "style": 255,
            "format": 4,
            "insert_styles": [
                {"insert_style": 3, "indications": [{"insert_indication_id": 1, "parameters": [{"parameter_id": 1}]}]}
            ],
        },
        flexric=True,
    ),
    Sample(
        "format1 f1 and ng messages",
        "RC",
        "event_trigger",
        "1.03",
        "000001400000191000f1100000066e000fffffffff00010b08400001180000f11080010100010f28",
        {
            "format": 1,
            "messages": [
                {
                    "condition_id": 1,
                    "interface_message": {
                        "interface_type": "f1",
                        "identifier": {
                            "interface": "f1",
                            "gnb": {
                                "plmn_hex": "00f110",
                                "mcc": "001",
                                "mnc": "01",
                                "gnb_id": {"bits": 22, "value": 411},
                            },
                            "gnb_du_id": 68719476735,
                        },
                        "procedure_id": 11,
                        "message_type": "initiatingMessage",
                    },
                    "direction": "outgoing",
                },
                {
                    "condition_id": 2,
                    "interface_message": {
                        "interface_type": "nG",
                        "identifier": {
                            "interface": "nG",
                            "guami": {
                                "plmn_hex": "00f110",
                                "mcc": "001",
                                "mnc": "01",
                                "amf_region_id": 128,
                                "amf_set_id": 4,
                                "amf_pointer": 1,
                            },
                        },
                        "procedure_id": 15,
                        "message_type": "successfulOutcome",
                    },
                    "logical_or": False,
                },
            ],
        },
    ),
    Sample(
        "format1 lte and nr messages for one du ue",
        "RC",
        "event_trigger",
        "1.03",
        "0200010000004100010440fffe44400101400000000000010003",
        {
            "format": 1,
            "messages": [
                {"condition_id": 1, "rrc_message": {"rat": "lTE", "class": "dL-DCCH", "message_id": 4}},
                {
                    "condition_id": 65535,
                    "rrc_message": {"rat": "nR", "class": "bCCH-DL-SCH", "message_id": 1},
                    "direction": "outgoing",
                },
            ],
            "global_ues": [{"ue_filter_id": 1, "ue": {"kind": "gNB-DU-UEID", "gnb_cu_ue_f1ap_id": 3}}],
        },
    ),
    Sample(
        "format2 with node test and ue group",
        "RC",
        "event_trigger",
        "1.03",
        "0b00000b00000e00000041012a00000140000140000041012a000002402253fe6821019200036120",
        {
            "format": 2,
            "call_process_type_id": 12,
            "breakpoint_id": 15,
            "e2_node_tests": [{"parameter_id": 1, "element_key": True, "value": {"int": 42}}],
            "ues": [
                {
                    "ue_filter_id": 2,
                    "group_tests": [{"parameter_id": 1, "element_key": True, "value": {"int": 42}}],
                    "logical_or": True,
                },
                {
                    "ue_filter_id": 3,
                    "group_tests": [
                        {
                            "parameter_id": 21503,
                            "element_key": False,
                            "comparison": "greaterthan",
                            "value": {"int": -110},
                        },
                        {"parameter_id": 4, "element_key": False, "presence": "configured"},
                    ],
                },
            ],
        },
    ),
    Sample(
        "format3 two changes or, cell group by parameter",
        "RC",
        "event_trigger",
        "1.03",
        "1000012000000000001000010001ff0000000000034002271a68040300f110",
        {
            "format": 3,
            "changes": [
                {"condition_id": 1, "e2_node_info_change_id": 1, "logical_or": True},
                {
                    "condition_id": 2,
                    "e2_node_info_change_id": 512,
                    "cells": [
                        {
                            "cell_filter_id": 4,
                            "group_tests": [
                                {
                                    "parameter_id": 10011,
                                    "element_key": False,
                                    "comparison": "equal",
                                    "value": {"octets_hex": "00f110"},
                                }
                            ],
                        }
                    ],
                },
            ],
        },
    ),
    Sample(
        "format4 connected or inactive for slice 1",
        "RC",
        "event_trigger",
        "1.03",
        "18000040000002802000000000004002427168010101",
        {
            "format": 4,
            "changes": [
                {
                    "condition_id": 1,
                    "rrc_states": [
                        {"state_changed_to": "rrc-connected", "logical_or": True},
                        {"state_changed_to": "rrc-inactive"},
                    ],
                    "ues": [
                        {
                            "ue_filter_id": 1,
                            "group_tests": [
                                {
                                    "parameter_id": 17010,
                                    "element_key": False,
                                    "comparison": "equal",
                                    "value": {"int": 1},
                                }
                            ],
                        }
                    ],
                }
            ],
        },
    ),
    Sample(
        "format5 on demand for one gnb ue",
        "RC",
        "event_trigger",
        "1.03",
        "22000000000000100000010000f1108001010000004080",
        {
            "format": 5,
            "on_demand": True,
            "ues": [
                {
                    "ue_filter_id": 1,
                    "ue": {
                        "kind": "gNB-UEID",
                        "amf_ue_ngap_id": 1,
                        "guami": {
                            "plmn_hex": "00f110",
                            "mcc": "001",
                            "mnc": "01",
                            "amf_region_id": 128,
                            "amf_set_id": 4,
                            "amf_pointer": 1,
                        },
                    },
                    "tests": [{"parameter_id": 1, "element_key": True, "value": {"bool": True}}],
                }
            ],
        },
    ),
    Sample(
        "capture radisys du",
        "RC",
        "ran_function",
        "1.02",
        (
            "1805804f52414e2d4532534d2d5243000018312e332e362e312e342e312e35333134382e312e312e322e3300805243008001"
            "040d80526164696f2041636365737320436f6e74726f6c20526571756573740105010300004000020e804163636573732062"
            "617272696e6720636f6e74726f6c2072657175657374000080001100556e69666965642041636365737320436f6e74726f6c"
            "2042617272696e6720496e666f0001020105010100c001040980526164696f2061636365737320636f6e74726f6c00004000"
            "020a804163636573732062617272696e6720636f6e74726f6c000080001100556e69666965642041636365737320436f6e74"
            "726f6c2042617272696e6720496e666f000101010101010101"
        ),
        {
            "short_name": "ORAN-E2SM-RC",
            "oid": "1.3.6.1.4.1.53148.1.1.2.3",
            "description": "RC",
            "insert_styles": [
                {
                    "style": 4,
                    "name": "Radio Access Control Request",
                    "event_trigger_style": 5,
                    "action_format": 3,
                    "indications": [
                        {
                            "indication_id": 3,
                            "name": "Access barring control request",
                            "parameters": [{"parameter_id": 1, "name": "Unified Access Control Barring Info"}],
                        }
                    ],
                    "header_format": 2,
                    "message_format": 5,
                    "call_process_id_format": 1,
                }
            ],
            "control_styles": [
                {
                    "style": 4,
                    "name": "Radio access control",
                    "actions": [
                        {
                            "action_id": 3,
                            "name": "Access barring control",
                            "parameters": [{"parameter_id": 1, "name": "Unified Access Control Barring Info"}],
                        }
                    ],
                    "header_format": 1,
                    "message_format": 1,
                    "call_process_id_format": 1,
                    "outcome_format": 1,
                }
            ],
        },
        canonical=(
            "1805804f52414e2d4532534d2d5243000018312e332e362e312e342e312e35333134382e312e312e322e3300805243008001"
            "040d80526164696f2041636365737320436f6e74726f6c20526571756573740105010300004000020e804163636573732062"
            "617272696e6720636f6e74726f6c2072657175657374000000001100556e69666965642041636365737320436f6e74726f6c"
            "2042617272696e6720496e666f01020105010100c001040980526164696f2061636365737320636f6e74726f6c0000400002"
            "0a804163636573732062617272696e6720636f6e74726f6c000000001100556e69666965642041636365737320436f6e7472"
            "6f6c2042617272696e6720496e666f0101010101010101"
        ),
    ),
]
