# SPDX-License-Identifier: Apache-2.0
"""Whether an E2 node has the RAN function that an xApp asks for, by what is in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from submgr.adapters.rnib.ran_functions import RanFunction
from submgr.core.errors import FieldError, RefusedError
from submgr.core.model import SubscribeRequest
from submgr.e2sm.layouts import short_name
from submgr.platform.sparse_log import Sparsely

_log = logging.getLogger(__name__)

_MOST_NAMED = 20


class FunctionCheck:
    """Called with each request for a subscription.

    `functions`: the RAN functions of a node, none when nobody knows. `refuses`: whether a request for another one is
    refused; otherwise it is a warning in the log, and `odd` is told the request and the same words.
    """

    def __init__(
        self,
        functions: Callable[[str], Sequence[RanFunction]],
        refuses: Callable[[], bool],
        odd: Callable[[SubscribeRequest, str], None],
    ) -> None:
        self._functions = functions
        self._refuses = refuses
        self._odd = odd
        self._sparsely = Sparsely(_log)

    def __call__(self, request: SubscribeRequest) -> None:
        """Raises RefusedError 400. Does not block."""
        meid, function_id = request.meid, request.ran_function_id
        functions = self._functions(meid)
        if not functions or any(function.id == function_id for function in functions):
            return
        problem = f"E2 node {meid} has no RAN function {function_id}; it has {_named(functions)}"
        if self._refuses():
            raise RefusedError(400, problem, (FieldError("RANFunctionID", problem),))
        self._sparsely.log(logging.WARNING, f"{meid} {function_id}", problem, meid=meid, xapp=request.endpoint.host)
        self._odd(request, problem)


def _named(functions: Sequence[RanFunction]) -> str:
    named = [f"{one.id} ({short_name(one.definition) or one.oid or 'no name'})" for one in functions[:_MOST_NAMED]]
    more = f" and {len(functions) - _MOST_NAMED} more" if len(functions) > _MOST_NAMED else ""
    return ", ".join(named) + more
