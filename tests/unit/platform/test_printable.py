# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from submgr.platform.printable import IN_LABELS, escaped, has_controls


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x80", "\x85", "\x9b", "\u2028", "\u202e", "\u2066"])
def test_what_a_terminal_obeys_is_escaped_and_json_reads_it_back(character: str) -> None:
    text = json.dumps(f"gnb{character}[31m", ensure_ascii=False)
    assert character not in escaped(text)
    assert json.loads(escaped(text)) == f"gnb{character}[31m"


def test_a_label_with_such_a_character_stays_readable_for_prometheus() -> None:
    registry = CollectorRegistry()
    Gauge("nodes", "n", ["meid"], registry=registry).labels("gnb\x9b1").set(1)
    text = escaped(generate_latest(registry).decode(), IN_LABELS)
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"meid": "gnb\\u009b1"}


def test_other_text_stays_as_it_is() -> None:
    for text in ("gnb_208_092_000001", "Zelle Süd 7 \u4f60", "{}[]~"):
        assert escaped(text) == text
        assert not has_controls(text)


def test_control_characters_belong_in_no_name() -> None:
    assert all(has_controls(f"gnb{chr(code)}") for code in [*range(0x20), *range(0x7F, 0xA0)])
    assert not has_controls("gnb\u200f \xa0")
