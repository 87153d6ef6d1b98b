# SPDX-License-Identifier: Apache-2.0
"""What a target has to be configured with, and which targets are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from submgr.bench.children import BenchError
from submgr.bench.target import TargetOptions, check, setup_files


def test_where_the_neighbours_are_stands_in_the_files_of_a_target() -> None:
    options = TargetOptions(("127.0.0.1", 8088), rtmgr_port=3801, e2term_port=38001)
    files = setup_files(options, Path("/a place"))
    settings = yaml.safe_load(files["settings.yaml"])
    assert settings["rtmgr"] == {"hostAddr": "127.0.0.1", "port": 3801, "baseUrl": "/ric/v1"}
    assert settings["controls"] == {"checkE2State": "false"}
    assert "mse|12010|-1|127.0.0.1:38001\n" in files["routes.rt"]
    assert "mse|12020|-1|127.0.0.1:38001\n" in files["routes.rt"]
    assert "export RMR_SEED_RT='/a place/routes.rt'\n" in files["environment.sh"]
    assert "DBAAS" not in files["environment.sh"]


def test_a_target_that_looks_for_nodes_is_told_where() -> None:
    options = TargetOptions(("127.0.0.1", 8088), rnib="redis://127.0.0.1:6390")
    files = setup_files(options, Path("/x"))
    assert yaml.safe_load(files["settings.yaml"])["controls"] == {"checkE2State": "true"}
    assert "export DBAAS_SERVICE_HOST=127.0.0.1\nexport DBAAS_SERVICE_PORT=6390\n" in files["environment.sh"]


@pytest.mark.parametrize(
    "options",
    [
        TargetOptions(("192.0.2.1", 8088)),
        TargetOptions(("127.0.0.1", 8088), host="192.0.2.1"),
        TargetOptions(("127.0.0.1", 8088), rnib="redis://192.0.2.1:6379"),
    ],
)
def test_loads_go_to_other_machines_only_where_that_is_meant(options: TargetOptions) -> None:
    with pytest.raises(BenchError, match=r"^192\.0\.2\.1 is not of the loopback interface: say --remote"):
        check(options)


def test_a_process_that_is_not_there_is_named() -> None:
    with pytest.raises(BenchError, match="there is no process 99999999"):
        check(TargetOptions(("127.0.0.1", 8088), pid=99999999))


def test_a_redis_that_cannot_be_one() -> None:
    with pytest.raises(BenchError, match="--rnib here"):
        check(TargetOptions(("127.0.0.1", 8088), rnib="here"))
