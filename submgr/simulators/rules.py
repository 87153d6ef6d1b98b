# SPDX-License-Identifier: Apache-2.0
"""Rules that make a simulator misbehave on purpose: for which requests, how often, and how.

A simulator without rules behaves well. A rule is a flat JSON or YAML object: the keys that choose requests, `nth` and
`count`, and the keys that say what the simulator does. The first rule in the list that chooses the request, is due and
is not used up decides. The rules after it do not count the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
import yaml

from submgr.e2ap import causes
from submgr.e2ap.messages import Cause

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class RuleError(ValueError):
    """A rule cannot be read. The text says which key is wrong, and why."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often a rule is used: from the `nth` request that it chooses, for `count` requests (None: for ever)."""

    CHOOSES: ClassVar[tuple[str, ...]] = ()
    """Keys that must be equal in the request; one that is None chooses every request."""

    nth: Positive = 1
    count: Positive | None = None

    def chooses(self, facts: Mapping[str, object]) -> bool:
        """Whether a request with these facts is meant."""
        for key in self.CHOOSES:
            wanted = getattr(self, key)
            if wanted is not None and wanted != facts.get(key):
                return False
        return True


class E2Rule(Rule, frozen=True, kw_only=True):
    """How an E2 node, or the E2 Termination before it, treats a request."""

    CHOOSES = ("meid", "instance", "procedure", "function")

    meid: str | None = None
    instance: int | None = None
    function: int | None = None
    procedure: Literal["subscribe", "delete"] | None = None

    delay: Seconds = 0.0
    """Before the answer; the node itself acts at once."""
    silent: Literal["request", "answer"] | None = None
    """`request`: the request is lost on the way to the node. `answer`: the node acts, and its answer is lost."""
    refuse: str | None = None
    """The cause, as `ricRequest: action-not-supported` or `misc: 3`."""
    refuse_by_list: bool = False
    """The failure of a subscribe lists the actions (E2AP 1.x) instead of one cause."""
    not_admitted: tuple[int, ...] = ()
    """Ids of actions that are not set up, while the others are."""
    copies: Positive = 1
    """How many times the answer is sent."""
    copy_delay: Seconds = 0.0
    """Between two copies."""
    mtype: int | None = None
    """RMR type of the answer in place of the right one."""
    answer_meid: str | None = None
    """Meid of the answer; "" for none."""
    answer_instance: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    answer_requestor: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    payload: str | None = None
    """The answer's octets in hexadecimal: garbage."""
    unordered: bool = False
    """Information elements of the answer in the wrong order."""
    delete_required: Seconds | None = None
    """So long after the answer the node sends a delete required for the subscription."""
    older_numbering: bool = False
    """The delete required is in the numbering of E2AP 2.00."""

    def __post_init__(self) -> None:
        if self.refuse is not None:
            parse_cause(self.refuse, 1 if self.refuse_by_list else 2)
        if self.payload is not None:
            bytes.fromhex(self.payload)


class HttpRule(Rule, frozen=True, kw_only=True):
    """How an HTTP server treats a request. Without any of these keys it behaves well."""

    CHOOSES = ("method", "instance", "subscription_id", "host")

    method: str | None = None
    instance: int | None = None
    """E2 instance id a route is for (Routing Manager)."""
    subscription_id: str | None = None
    """REST subscription a notification is for (xApp)."""
    host: str | None = None
    """`Host` header: one simulator can be many xApps."""

    delay: Seconds = 0.0
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    body: str | None = None
    html: bool = False
    """An HTML page as body, as proxies in between send it."""
    body_size: Annotated[int, msgspec.Meta(ge=0, le=1 << 26)] | None = None
    """A body of so many octets."""
    hang: bool = False
    """Takes the request and says nothing until the client goes."""
    close: bool = False
    """Closes the connection without a word."""
    http10: bool = False
    """An HTTP/1.0 answer without Content-Length: its end is the end of the connection."""
    redirect: str | None = None
    """`Location` of a 302 (or of `status`)."""
    done: bool | None = None
    """Whether the request takes effect; None: exactly when the answer is a 2xx."""

    def takes_effect(self) -> bool:
        """Whether the request takes effect, whatever the client hears."""
        if self.done is not None:
            return self.done
        if self.hang or self.close:
            return False
        return (self.status is None and self.redirect is None) or self.status in range(200, 300)


R = TypeVar("R", bound=Rule)


class RuleBook(Generic[R]):
    """The rules of one simulator, each with the number of requests it has chosen."""

    def __init__(self, kind: type[R], rules: Sequence[R] = ()) -> None:
        self._kind = kind
        self._rules: list[R] = []
        self._seen: list[int] = []
        self.replace(rules)

    def replace(self, rules: Sequence[R]) -> None:
        """Replaces all rules by these. Their counts begin at 0."""
        self._rules = list(rules)
        self._seen = [0] * len(self._rules)

    def add(self, *rules: R) -> None:
        """Appends rules."""
        self._rules += rules
        self._seen += [0] * len(rules)

    def clear(self) -> None:
        """Removes all rules: the simulator behaves well from now on."""
        self.replace(())

    def pick(self, facts: Mapping[str, object]) -> R | None:
        """The rule that decides about a request; None when there is none. The request counts as chosen."""
        for index, rule in enumerate(self._rules):
            if not rule.chooses(facts):
                continue
            end = None if rule.count is None else rule.nth + rule.count
            if end is not None and self._seen[index] >= end - 1:
                continue
            self._seen[index] += 1
            if self._seen[index] >= rule.nth:
                return rule
        return None

    def parse(self, data: object) -> list[R]:
        """Rules of a decoded JSON or YAML value: one, a list of them, or an object with the key `rules`.

        Raises:
            RuleError: a key that is not known or has a wrong value.
        """
        if isinstance(data, dict) and "rules" in data:
            data = data["rules"]
        items = data if isinstance(data, list) else [data]
        rules = []
        for index, item in enumerate(items):
            try:
                rules.append(msgspec.convert(item, self._kind))
            except msgspec.ValidationError as error:
                raise RuleError(f"rule {index}: {error}") from error
        return rules

    def load(self, path: Path) -> None:
        """Replaces the rules by those of a YAML or JSON file.

        Raises:
            RuleError: with the name of the file.
        """
        try:
            self.replace(self.parse(yaml.safe_load(path.read_bytes()) or []))
        except (OSError, yaml.YAMLError, RuleError) as error:
            raise RuleError(f"{path}: {error}") from error

    def report(self) -> list[dict[str, Any]]:
        """The rules in their order, each with `seen`: the requests it has chosen so far."""
        return [{**msgspec.to_builtins(rule), "seen": seen} for rule, seen in zip(self._rules, self._seen, strict=True)]


def parse_cause(text: str, release: int = 2) -> Cause:
    """A cause by name, or by group name and number, in the numbers of an E2AP release.

    Raises:
        ValueError: no such cause.
    """
    group, _, value = (part.strip() for part in text.partition(":"))
    if value.isascii() and value.isdigit():
        for number, (name, _, _) in causes.RELEASES[release].items():
            if name == group:
                return Cause(number, int(value), release)
    try:
        return causes.by_name(group, value, release)
    except ValueError:
        raise ValueError(f"{text!r} is no cause like 'ricRequest: action-not-supported'") from None
