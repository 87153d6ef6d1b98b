# SPDX-License-Identifier: Apache-2.0
"""Doors that others are to open: web pages, guessed tokens, addresses that the daemon is made to call, odd names."""

from __future__ import annotations

from typing import Any

from support.hostile.http_in import head, status_of
from support.hostile.http_out import post
from support.hostile.ordeal import Attacker
from support.processes.daemon import detail

ADMIN = "Authorization: Bearer the-admin-token"
TOKEN = "Authorization: Bearer the-debug-token"
APP = {
    "appInfo": {"appDId": "d", "appName": "game", "appProvider": "acme", "appSoftVersion": "1", "appDVersion": "1",
                "appDescription": "a game"},
    "platforms": [{"type": "noop"}],
}  # fmt: skip


def web_pages(attacker: Attacker) -> None:
    """A page on a name that now leads to the daemon, and pages of others; `found`: what was asked -> status."""
    port, subscriptions = attacker.ports["platform"], "/ric/v1/subscriptions"
    rebound = ("Host: evil.example:{port}", "Origin: http://evil.example:{port}")
    foreign = ("Host: 127.0.0.1:{port}", "Origin: http://evil.example")
    opaque = ("Host: 127.0.0.1:{port}", "Origin: null")
    asked = {}
    for name, fields in (("rebound", rebound), ("foreign", foreign), ("opaque", opaque)):
        for to, line in (
            ("platform", "POST /ric/v1/test/deletesubid=1"),
            ("platform", "DELETE /ric/v1/delete_all_e2node_subscriptions/gnb_1"),
            ("xapp", f"POST {subscriptions}"),
            ("xapp", f"DELETE {subscriptions}/1"),
        ):
            port = attacker.ports[to]
            lines = [f"{line} HTTP/1.1", *(each.format(port=port) for each in fields)]
            lines += ["Content-Length: 2", "Content-Type: application/json", "Connection: close"]
            if to == "platform":
                lines.append(TOKEN)
            octets = ("\r\n".join(lines) + "\r\n\r\n{}").encode()
            asked[f"{name} {to} {line}"] = status_of(attacker.exchange(to, octets))
    attacker.found = asked


def all_forbidden(found: dict[str, int]) -> None:
    """Each was refused for where it comes from."""
    assert set(found.values()) == {403}, found


def token_guesses(attacker: Attacker) -> None:
    """Tokens are guessed on ten connections, as fast as they are refused; `found`: how many."""
    attacker.found = 0
    request = head("POST /ric/v1/test/deletesubid=1", "Authorization: Bearer guess", "Content-Length: 0")

    def one() -> None:
        sock = attacker.connect("platform", timeout=0.3)
        while attacker.goes_on:
            try:
                sock.sendall(request)
                if sock.recv(65536).startswith(b"HTTP/1.1 401"):
                    attacker.found += 1
            except TimeoutError:
                continue
            except OSError:
                sock = attacker.connect("platform", timeout=0.3)

    attacker.together(*[one] * 10)


def slowed_down(found: int) -> None:
    """Not more than some dozens a second from one address."""
    assert found <= 60, f"{found} guesses in a second"


def own_doors(attacker: Attacker) -> None:
    """Callbacks that lead to the daemon's own port, by all its names; `found`: what the daemon did to itself."""
    _create(attacker, "/meo/v1/apps", APP, ADMIN)
    _create(attacker, "/meo/v1/platforms", {"name": "oslo", "type": "noop", "endpointApps": "http://oslo/"}, ADMIN)
    for what in ("load", "key"):
        post(attacker, "mec", f"/meo/v1/platforms/oslo/{what}", {"value": 0.5}, ADMIN)
    port = attacker.ports["platform"]
    for host in ("127.0.0.1", "localhost", "127.1.2.3", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"):
        url = f"http://{host}:{port}/ric/v1/test/emptydb"
        wish = {"associateDevAppId": "dev", "callbackReference": url, "appInfo": APP["appInfo"]}
        post(attacker, "mec", "/dev_app/v1/app_contexts", wish)
    request = attacker.site.around.request("gnb_3", detail(1, [5]))
    request["ClientEndpoint"]["HTTPPort"] = port
    post(attacker, "xapp", "/ric/v1/subscriptions", request)
    # the platform goes, and with it the contexts: their devices are told
    attacker.exchange("mec", head("DELETE /meo/v1/platforms/oslo", ADMIN, "Connection: close"))
    attacker.pause(0.5)
    attacker.found = attacker.site.asked("/ric/v1/test/emptydb", "/ric/v1/subscriptions/response")


def _create(attacker: Attacker, path: str, body: Any, *fields: str) -> None:
    status, answer = post(attacker, "mec", path, body, *fields)
    assert status in (201, 204, 409), (path, status, answer)


def nothing(found: Any) -> None:
    """Nothing was found."""
    assert not found, found


CONTROL = ["gnb\x85", "gnb\x9b31m", "gnb\x00", "gnb\x1b[2J", "gnb\u2028", "gnb\u202e", "gnb\x7f"]
NAMES = [*CONTROL, "gnb\n", "\xa0"]
"""A line end in the log is the end of a line of ours, mostly."""


def odd_names(attacker: Attacker) -> None:
    """Meids and hosts with control characters; `found`: those that the log or the metrics show as they are."""
    for name in NAMES:
        request = attacker.site.around.request("gnb_3", detail(1, [6]))
        endpoint = {**request["ClientEndpoint"], "Host": name}
        for body in ({**request, "Meid": name}, {**request, "ClientEndpoint": endpoint}):
            post(attacker, "xapp", "/ric/v1/subscriptions", body)
    shown = attacker.site.daemon.log_file.read_bytes()
    shown += attacker.exchange("platform", head("GET /metrics", "Connection: close"))
    attacker.found = [name for name in CONTROL if name.encode() in shown]
