# SPDX-License-Identifier: Apache-2.0
"""What operators see of the MEC services at a glance. UEs are masked as in the log, and every list has a bound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from mec.ams.uses import Uses
from mec.common import imsi as imsis
from mec.common.peer_client import NoAnswer, PeerClient
from mec.common.settings import MecSettings
from mec.meo.app import Orchestrator
from mec.meo.events import Kind
from mec.meo.model import Context
from mec.meo.placement import score
from mec.meo.service import Meo
from mec.parts import Parts
from submgr.platform.http.json_body import NotJson, read_json_as
from submgr.platform.turns import in_turns

Json = dict[str, Any]

MOST_UES = 200
"""Of a MEC, those that were seen last; as many uses of applications."""
MOST_PLATFORMS = 500
MOST_CONTEXTS = 300
"""Those that came or changed last."""
MOST_MOVES = 100


class _Cell(msgspec.Struct):
    mcc: str
    mnc: str
    cellId: int


class _Ue(msgspec.Struct):
    imsi: str | int
    state: str
    ip: list[str] = []
    ecgi: _Cell | None = None
    seen: float = 0.0


_UES = msgspec.json.Decoder(list[_Ue])


def mec_overview(settings: MecSettings, listens: str, parts: Parts, peers: PeerClient) -> Json:
    """One MEC: its users, the UEs that its controller sees, and who uses which application where.

    Asks the controller, and so waits for it, for 2 s at the most. How many users there are, and who uses what, is None
    where several replicas share that: nobody of them has all of it.
    """
    gauges = {name: gauge for (name, _), gauge in parts.gauges.items()}
    users = gauges.get("mec_users")
    return {
        "MecId": settings.mec_id,
        "HomeMecId": settings.home_mec_id,
        "Network": settings.network,
        "Listens": listens,
        "Users": int(users()) if users is not None else None,
        "Prefetching": parts.ams.prefetching,
        "WaitingNotifications": parts.mobility.waiting,
        "Ues": _ues(settings.controller_url, peers),
        "Uses": _uses(parts.uses, settings.mec_id) if isinstance(parts.uses, Uses) else None,
    }


def _uses(uses: Uses, mec_id: int | None) -> Json:
    return {
        "Total": len(uses),
        "Items": [
            {
                "Ue": imsis.masked(use.imsi),
                "App": use.app_id,
                "MecId": use.mec_id,
                "Here": use.mec_id == mec_id,
                "StateStored": use.stored,
            }
            for use in islice(uses.newest(), MOST_UES)
        ],
    }


def _ues(controller_url: str, peers: PeerClient) -> Json:
    """The UEs of a controller. `Why`: why it does not tell them. `Total` is None when it does not say how many."""
    nothing: Json = {"Total": None, "Items": []}
    try:
        answer = peers.request("GET", f"{controller_url}/ues?limit={MOST_UES}")
        if not answer.ok:
            return {**nothing, "Why": f"the controller answers {answer.status}"}
        ues = read_json_as(_UES, answer.body)
    except NoAnswer as exc:
        return {**nothing, "Why": f"the controller does not answer: {exc}"}
    except NotJson as exc:
        return {**nothing, "Why": f"what the controller answers {exc}"}
    told = answer.headers.get("x-total-count", "")
    total = int(told) if told.isascii() and told.isdigit() and len(told) < 12 else len(ues)
    return {"Total": total, "Items": [_ue(ue) for ue in ues[:MOST_UES]], "Why": None}


def _ue(ue: _Ue) -> Json:
    cell = ue.ecgi
    return {
        "Ue": imsis.masked(str(ue.imsi)),
        "State": ue.state,
        "Addresses": ue.ip,
        "Cell": f"{cell.mcc}-{cell.mnc}/0x{cell.cellId:x}" if cell is not None else None,
        "Seen": _time(ue.seen),
    }


def orchestrator_overview(orchestrator: Orchestrator, passive: str | None = None) -> Json:
    """The orchestrator: platforms with load and keys, contexts, and the moves of these contexts, the newest first.

    `passive`: why another replica orchestrates. `Why`: why this one does not.
    """
    meo = orchestrator.meo
    rules, known = meo.settings.rules, meo.state.platforms
    platforms = [one.name for one in meo.inventory.visible_platforms()] if meo.inventory.ready else []
    changed = list(islice(reversed(meo.state.contexts.values()), MOST_CONTEXTS))
    moves = sorted(_moves(meo, changed), key=lambda move: str(move["Time"]), reverse=True)
    return {
        "Why": passive or orchestrator.why_not_ready(),
        "MaxLoad": rules.max_load,
        "MinKey": rules.min_key,
        "Platforms": {
            "Total": len(platforms),
            "Items": [_platform(meo, name) for name in in_turns(platforms[:MOST_PLATFORMS]) if name in known],
        },
        "Contexts": {"Total": len(meo.state.contexts), "Items": [_context(meo, context) for context in changed]},
        "Moves": moves[:MOST_MOVES],
    }


def _moves(meo: Meo, contexts: list[Context]) -> Iterator[Json]:
    """The moves of `contexts`, and those that the orchestrator remembers of others, which may have ended since."""
    for context in contexts:
        for move in context.moves:
            yield _move(move.at, context.id, _app(meo, context), move.origin, move.target, move.reason, move.told)
    known = {context.id for context in contexts}
    migrations = (event for event in in_turns(meo.events.newest_first()) if event.kind is Kind.MIGRATION)
    for event in islice(migrations, MOST_MOVES):
        facts = event.facts
        if facts["contextId"] not in known:
            context_id, app = facts["contextId"], facts["appName"]
            yield _move(event.at, context_id, app, facts["origin"], facts["target"], facts["reason"], "ended since")


def _move(at: float, context_id: str, app: str, origin: str, target: str, reason: str, told: str) -> Json:
    return {
        "Time": _time(at),
        "Context": context_id,
        "App": app,
        "Origin": origin,
        "Target": target,
        "Reason": reason,
        "Told": told,
    }


def _platform(meo: Meo, name: str) -> Json:
    one, site = meo.state.platforms[name], meo.state.site(name)
    rules, now = meo.settings.rules, meo.clock()
    reasons = meo.why_not(name)
    return {
        "Name": name,
        "Type": one.type,
        "Eligible": not reasons,
        "Withdrawn": one.withdrawn,
        "Reasons": reasons,
        "Score": score(site, rules) if site.load is not None and site.key is not None else None,
        "Load": site.load,
        "LoadAge": None if site.load is None else max(now - site.load_at, 0.0),
        "Key": site.key,
        "KeyAge": None if site.key is None else max(now - site.key_at, 0.0),
        "Contexts": meo.state.count_at(name),
    }


def _context(meo: Meo, context: Context) -> Json:
    return {
        "Id": context.id,
        "App": _app(meo, context),
        "Platform": context.platform,
        "CreatedAt": _time(context.created_at),
        "MovedAt": _time(context.moved_at),
        "Moves": len(context.moves),
    }


def _app(meo: Meo, context: Context) -> str:
    app = meo.state.apps.get(context.app_key)
    return app.info.name if app is not None else context.app_key


def _time(seconds: float | None) -> str | None:
    """Seconds since 1970 as a time of RFC 3339. None for what is no time of this age: a peer may have told it."""
    if not seconds or not 0 < seconds < 32_503_680_000:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
