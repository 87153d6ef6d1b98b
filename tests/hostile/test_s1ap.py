# SPDX-License-Identifier: Apache-2.0
"""Whatever comes on the port for S1AP, the controller answers its other clients and takes what comes from others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.hostile.ordeal import Attack, endure, http_probe, takes
from support.hostile.table import S1AP
from support.mec.processes import Api, Program
from support.ports import free_port
from support.rmr.peer import Link
from support.waiting import eventually

from mec.controller.recordings.calls import Call, attach, set_up

UES = itertools.count(1)


class Controller:
    """`mec controller`, with its ports."""

    def __init__(self, directory: Path) -> None:
        self.ports = {"s1ap": free_port(), "http": free_port()}
        listen, http = (f"127.0.0.1:{port}" for port in self.ports.values())
        nobody = f"http://127.0.0.1:{free_port()}"
        options = ("--listen", listen, "--http", http, "--idp-url", nobody, "--manager-url", nobody)
        self.program = Program(directory, "controller", "-n", "home", *options)
        self.api = Api()
        self.before: dict[str, int] = {}

    def start(self) -> None:
        self.program.start()
        self.works()
        self.before = takes(self.program.process.pid, self.probes)

    @property
    def probes(self) -> list[dict[str, Any]]:
        return [
            http_probe("9002 health", self.ports["http"], "/health/alive"),
            http_probe("9002 ues", self.ports["http"], "/ues/001010000099999", status=404),
        ]

    def works(self) -> None:
        """A UE that attaches on a new connection is known."""
        number = next(UES)
        imsi = f"00101555{number:07}"
        link = Link.to(self.ports["s1ap"], read=False)
        link.send(b"".join([*set_up(), *attach(Call(number, 900_000 + number, imsi, [f"10.9.0.{number}"]))]))
        eventually(lambda: self.api.get(self.ports["http"], f"/ues/{imsi}")[0] == 200, 5.0, what="the UE is known")
        link.close()


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    controller = Controller(tmp_path_factory.mktemp("controller"))
    controller.start()
    yield controller
    controller.program.stop()


@pytest.mark.parametrize("attack", S1AP, ids=lambda attack: attack.name)
def test_others_do_not_notice(controller: Controller, attack: Attack) -> None:
    endure(attack, controller.program.process.pid, controller)
    controller.works()
