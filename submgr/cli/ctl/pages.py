# SPDX-License-Identifier: Apache-2.0
"""Fetches long lists page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from submgr.cli.ctl.server import Server
from submgr.platform.progress import Progress

PAGE = 1000
"""Items of a page; the interface gives no more."""


def pages(server: Server, path: str, limit: int | None, key: str, **parameters: object) -> dict[str, Any]:
    """The answer with all items, or the first `limit`, as if it had been one page.

    The list changes while it is fetched. When it has become shorter, items may have moved into pages that were fetched
    already: the next page begins so much earlier, and what is known from them is left out, by its `key` if it has one.
    """
    with Progress() as progress:
        progress.says(path)
        return _fetched(server, path, limit, key, parameters, progress)


def _fetched(
    server: Server,
    path: str,
    limit: int | None,
    key: str,
    parameters: Mapping[str, object],
    progress: Progress,
) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    items: list[dict[str, Any]] = []
    known: set[object] = set()
    again: list[dict[str, Any]] = []
    offset = 0
    while True:
        wanted = PAGE if limit is None else min(PAGE, limit - len(items))
        page = server.get(path, offset=offset, limit=wanted, **parameters)
        shorter = whole.get("Total", 0) - page["Total"]
        if shorter > 0 and offset:
            whole["Total"] = page["Total"]
            offset = max(offset - shorter, 0)
            again = items[-shorter:]
            continue
        whole = page
        progress.total = page["Total"] if limit is None else min(page["Total"], limit)
        progress.step(len(page["Items"]))
        for item in page["Items"]:
            name = item.get(key)
            if item not in again if name is None else name not in known:
                known.add(name)
                items.append(item)
        offset += len(page["Items"])
        full = limit is not None and len(items) >= limit
        if full or not page["Items"] or offset >= page["Total"]:
            return {**whole, "Offset": 0, "Items": items}
