# SPDX-License-Identifier: Apache-2.0
"""Subscriptions and RAN functions in words. What is asked for is decoded when somebody looks, and not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.core.model import Content, E2Record
from submgr.e2sm.layouts import Model, model_of, short_name
from submgr.platform.late_imports import import_beside
from submgr.platform.turns import Budget
from submgr.rest.views import Json

if TYPE_CHECKING:
    from submgr.e2sm.subscription import Asked

Functions = Callable[[str], Sequence[RanFunction]]
"""The RAN functions of a node, none when nobody knows."""

_SERVICE_MODELS = "submgr.e2sm.shown", "submgr.e2sm.subscription"
"""Imported when somebody looks: they would be a fifth of a start."""
_REMEMBERED = 8192
"""Lines of words that are kept: many subscriptions ask for the same."""


class Contents:
    """`functions` tells which service model a RAN function of a node is; otherwise it is found by trying."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._words: dict[tuple[Content, tuple[Model, ...]], str] = {}

    def lines(self, records: Iterable[E2Record]) -> Iterator[Json]:
        """A line for each E2 subscription. Others have their turn in between."""
        budget = Budget()
        for record in records:
            yield _head(record) | {"Words": self._line(record.meid, record.content, budget.spend)}
            budget.spend()

    def whole(self, record: E2Record) -> Json:
        """The line of an E2 subscription, and the tree behind it."""
        return _head(record) | self.tree(record.meid, record.content)

    def wholes(self, records: Iterable[E2Record]) -> Iterator[Json]:
        """All that `whole` has, of each. Others have their turn in between."""
        budget = Budget()
        for record in records:
            yield self.whole(record)
            budget.spend()

    def words(self, meid: str, content: Content) -> str:
        """What is, or was, subscribed at a node, in words."""
        return self._line(meid, content, Budget().spend)

    def tree(self, meid: str, content: Content) -> Json:
        """The tree behind the words, as `whole` has it."""
        return _asked(content, self._models(meid, content), Budget().spend).shown()

    def functions(self, name: str) -> Iterator[Json]:
        """The RAN functions of a node."""
        import_beside(*_SERVICE_MODELS)
        from submgr.e2sm.decoding import Body, decode
        from submgr.e2sm.shown import shown

        budget = Budget()
        for function in self._functions(name):
            decoded = decode(function.definition, Body.RAN_FUNCTION)
            yield {
                "RANFunctionID": function.id,
                "Name": short_name(function.definition),
                "OID": function.oid,
                "Revision": function.revision,
                "Definition": shown(decoded),
            }
            budget.spend()

    def _line(self, meid: str, content: Content, between: Callable[[], None]) -> str:
        key = content, self._models(meid, content)
        line = self._words.get(key)
        if line is None:
            line = self._words[key] = _asked(*key, between).words()
            if len(self._words) > _REMEMBERED:
                del self._words[next(iter(self._words))]
        return line

    def _models(self, meid: str, content: Content) -> tuple[Model, ...]:
        """The model of the node's RAN function first."""
        definitions = [one.definition for one in self._functions(meid) if one.id == content.ran_function_id]
        first = model_of(definitions[0]) if definitions else None
        return tuple(Model) if first is None else (first, *(model for model in Model if model is not first))


def _head(record: E2Record) -> Json:
    return {
        "SubscriptionId": record.instance_id,
        "Meid": record.meid,
        "RANFunctionID": record.content.ran_function_id,
    }


def _asked(content: Content, models: Sequence[Model], between: Callable[[], None]) -> Asked:
    import_beside(*_SERVICE_MODELS)
    from submgr.e2sm.subscription import read_subscription

    actions = [(action.action_id, action.definition) for action in content.actions]
    return read_subscription(content.event_trigger, actions, models, between)
