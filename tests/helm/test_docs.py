# SPDX-License-Identifier: Apache-2.0
"""The operator's pages say what is: each setting with its default, each metric, each alert, each link."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from mec.common.settings import SECTION as MEC
from mec.meo.settings import SECTION as MEO
from submgr.adapters.metrics.go_counters import GoCounters, exposition
from submgr.adapters.metrics.prometheus import Metrics
from submgr.adapters.records.forms import E2Form, RestForm
from submgr.platform.config.schema import Section
from submgr.rmr import environment as rmr_environment
from submgr.settings.loader import load
from submgr.settings.model import SCHEMA, TOKEN_VARIABLE


@pytest.fixture(scope="session")
def operations(root: Path) -> str:
    return (root / "docs" / "operations.md").read_text()


def shown(section: str, name: str, default: Any) -> str:
    """A default as it stands in the file."""
    value = load("", {}).shown.get(section, {}).get(name, default)
    if value in ("", None):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if value < 1 else str(int(value)) if value.is_integer() else str(value)
    return "[]" if value == () else str(value)


def test_every_setting_with_its_default_and_no_other(operations: str) -> None:
    sections = [member for member in SCHEMA.members if isinstance(member, Section) and not member.open]
    expected = [
        (f"{section.name}.{key.name}", shown(section.name, key.name, key.default))
        for section in [*sections, MEC, MEO]
        for key in section.members
    ]
    table = operations.partition("| setting | default | meaning |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [(row[0].strip("`"), row[1].strip("`")) for row in rows] == expected
    assert all(row[2] for row in rows)


def test_every_environment_variable(operations: str) -> None:
    source = Path(rmr_environment.__file__).read_text()
    names = set(re.findall(r'"(RMR_[A-Z_]+)"', source)) - {"RMR_"}
    assert len(names) > 7
    for name in [*names, TOKEN_VARIABLE, "CFG_FILE", "DBAAS_SERVICE_HOST", "DBAAS_CLUSTER_ADDR_LIST"]:
        assert f"`{name}`" in operations, name


def test_every_metric(operations: str) -> None:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(GoCounters())
    Metrics(registry)
    text, _ = exposition(registry)
    families = {line.split()[2] for line in text.decode().splitlines() if line.startswith("# TYPE ")}
    section = operations.partition("## Metrics")[2].partition("## Alerts")[0]
    told = set(re.findall(r"`((?:SUBMGR|RMR|submgr|process)_\w+)`", section))
    assert told == families


def test_every_alert_has_a_section(chart, operations: str) -> None:
    (group,) = yaml.safe_load((chart.path / "files" / "submgr.rules.yaml").read_text())["groups"]
    section = operations.partition("## Alerts")[2].partition("## Troubleshooting")[0]
    headings = re.findall(r"^### (\w+)$", section, re.MULTILINE)
    assert headings == [rule["alert"] for rule in group["rules"]]


def test_every_name_the_chart_makes(chart, operations: str) -> None:
    for _, name in chart.render("everything"):
        assert f"`{name}`" in operations, name


def test_the_route_table_by_hand_is_one(operations: str) -> None:
    from submgr.rmr.routing.reader import parse_routes

    lines = [line.strip() for line in operations.splitlines() if re.match(r" {4}(newrt|rte)\|", line)]
    assert sorted(mtype for _, mtype in parse_routes("\n".join(lines), frozenset()).routes) == [12010, 12020]


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["operations.md", "migration.md"])
def test_links_lead_somewhere(root: Path, page: str) -> None:
    text = (root / "docs" / page).read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, part = target.partition("#")
        path = root / "docs" / (file or page)
        assert path.exists(), target
        if part:
            headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert part in [anchor(heading) for heading in headings], target


def test_additional_keys_of_records_are_named(root: Path) -> None:
    text = (root / "docs" / "migration.md").read_text().partition("## Stored records")[2]
    go = {
        *("Valid", "ReqId", "Meid", "EpList", "SubReqMsg", "SubRespMsg", "SubRespRcvd", "PolicyUpdate"),
        *("Created", "XAppServiceName", "XAppRmrEndPoint", "InstanceIds", "XAppIdToE2Id"),
        *("SubReqOngoing", "SubDelReqOngoing", "Md5sum"),
    }
    ours = {name for form in (E2Form, RestForm) for name in form.__struct_fields__}
    assert go <= ours
    for name in ours - go:
        assert f"`{name}`" in text, name
