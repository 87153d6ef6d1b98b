# SPDX-License-Identifier: Apache-2.0
"""A stand-alone run as a process: the daemon and its simulated neighbours, whose addresses its first lines tell.

Nothing of it lives in the test's own process, which may block and use threads as a client does.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from support.processes.children import START
from support.processes.forked import Forked, start
from support.waiting import eventually

NODES = ("gnb_208_092_000001", "gnb_208_092_000002", "enb_208_092_000003")
QUICK = {"e2tSubReqTimeout_ms": 300, "e2tSubDelReqTime_ms": 300}
"""Timers short enough for a test, long enough for a busy machine."""
_ADDRESS = re.compile(r"^  (\S.*?) {2,}https?://([\d.]+:\d+)", re.MULTILINE)


class Standalone:
    """`submgr run --standalone` in `directory`, with `sections` of a configuration file, between `with` and its end."""

    def __init__(self, directory: Path, *, mec: bool = False, **sections: Any) -> None:
        self.directory = directory
        self.log = directory / "log"
        self._sections = sections
        self._mec = mec
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self.xapp = self.platform = self.e2term = self.rtmgr = self.notified = ""
        self.example: dict[str, Any] = {}

    def __enter__(self) -> Standalone:
        arguments = ["run", "--standalone", "--free-ports"]
        arguments += ["--mec" if self._mec else "--no-mec", "--database", str(self.directory / "submgr.db")]
        if self._sections:
            config = self.directory / "config.yaml"
            config.write_text(yaml.safe_dump(self._sections))
            arguments += ["-f", str(config)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("RMR_", "CFG_"))}
        with self.log.open("wb") as out:
            self._process = start("submgr", arguments, stdout=out, stderr=out, env=environment)
        try:
            eventually(self._introduced, START, what=self.log.read_text)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def listening(self) -> dict[str, str]:
        """host:port by the name of the server, of the first with that name."""
        found: dict[str, str] = {}
        for line in re.findall(r'^{.*"msg":"listening".*}$', self.log.read_text(), re.MULTILINE):
            told = json.loads(line)
            found.setdefault(told["server"], told["address"])
        return found

    def get(self, address: str, path: str) -> Any:
        with urllib.request.urlopen(f"http://{address}{path}") as answer:
            return json.load(answer)

    def send(self, method: str, address: str, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{address}{path}", data, method=method)
        with urllib.request.urlopen(request):
            pass

    def node_does(self, **rule: Any) -> None:
        """How E2 nodes answer, see `submgr.simulators.rules.E2Rule`."""
        self.send("POST", self.e2term, "/rules", rule)

    def rtmgr_does(self, **rule: Any) -> None:
        self.send("POST", self.rtmgr, "/rules", rule)

    def behave(self) -> None:
        """All neighbours behave well again."""
        for address in (self.e2term, self.rtmgr):
            self.send("DELETE", address, "/rules")

    def node(self, name: str, action: str, body: object = None) -> None:
        """connected, disconnected, under_reset, delete_required."""
        self.send("POST", self.e2term, f"/nodes/{name}/{action}", body)

    def holds(self, name: str = NODES[0]) -> set[int]:
        """Instance ids that a node has."""
        return set(map(int, self.get(self.e2term, "/state")["nodes"][name]["subscriptions"]))

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(self.xapp, "/ric/v1/subscriptions")
        return found

    def _introduced(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        text = self.log.read_text()
        posted = re.search(r"-d '({.*})'$", text, re.MULTILINE)
        if posted is None or '"ready for xApps"' not in text or (self._mec and "/dev_app/v1/openapi.yaml" not in text):
            return False
        found = dict(_ADDRESS.findall(text))
        self.xapp, self.platform = found["xApp REST"], found["platform REST"]
        self.e2term, self.rtmgr = found["what they hold"], found["routes"]
        self.notified, self.example = found["notifications"], json.loads(posted[1])
        return True
