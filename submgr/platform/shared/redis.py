# SPDX-License-Identifier: Apache-2.0
# redis-py annotates only a part of itself.
# mypy: allow-untyped-calls
"""Shared records in redis: scripts compare and set, in one step each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha1
from itertools import islice
from typing import Any

from msgspec.structs import replace
from redis.exceptions import InvalidResponse, NoScriptError

from submgr.platform.shared.base import Swap, Swapped
from submgr.platform.store.base import StoreTimeout, StoreUnavailable, check_key, check_namespace
from submgr.platform.store.sdl_channel import SdlChannel
from submgr.platform.store.sdl_client import SdlClient, SdlSettings, full_key
from submgr.platform.store.sdl_lane import Lane, packed
from submgr.platform.turns import turn

PATIENCE = 1.0
"""Seconds within which a call is answered or has failed: several of them are in one request's time."""
_CONNECTIONS = 16
_PAUSE = 0.2
"""Seconds after a call that was not answered in which the others fail at once. Nobody waits for one after the other."""
_KEYS_AT_A_TIME = 1000
_VALUES_AT_A_TIME = 250

# KEYS: those that are compared, those to set, those to remove; the two counters of the log, if there is an entry.
# ARGV: how many are compared, set, removed; the log ('': none), the entry, how many may wait; after how many ms what is
# set is gone (0: never); what each that is compared must be ('-': not there, '=' and the value), the values.
# `pcall`, since `call` would wrap the errors of redis in others. One MSET, which a full database refuses as a whole, as
# long as there are not more values than Lua can pass.
_SWAP = b"""
local compared, sets, removed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i = 1, compared do
  local now = redis.call('GET', KEYS[i])
  if (now and '=' .. now or '-') ~= ARGV[7 + i] then return {0, -1} end
end
local some, entry = {}, -1
if ARGV[4] ~= '' then
  local last = tonumber(redis.call('GET', KEYS[#KEYS - 1]) or 0) or 0
  local done = tonumber(redis.call('GET', KEYS[#KEYS]) or 0) or 0
  if last - done < tonumber(ARGV[6]) then
    entry = last + 1
    local number = string.format('%d', entry)
    some = {KEYS[#KEYS - 1], number, ARGV[4] .. '/' .. number, ARGV[5]}
  end
end
for i = 1, sets do
  some[#some + 1] = KEYS[compared + i]
  some[#some + 1] = ARGV[7 + compared + i]
  if #some >= 2000 then
    local done = redis.pcall('MSET', unpack(some))
    if done.err then return done end
    some = {}
  end
end
if #some > 0 then
  local done = redis.pcall('MSET', unpack(some))
  if done.err then return done end
end
if ARGV[7] ~= '0' then
  for i = compared + 1, compared + sets do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
end
local first, last = compared + sets + 1, compared + sets + removed
for from = first, last, 1000 do
  local done = redis.pcall('DEL', unpack(KEYS, from, math.min(from + 999, last)))
  if type(done) == 'table' then return done end
end
if entry > 0 then redis.pcall('PUBLISH', ARGV[4], '') end
return {1, entry}
"""

# KEYS: the key. ARGV: what it must be (as above), the value with '=' before it ('-': remove it), milliseconds.
_LEND = b"""
local now = redis.call('GET', KEYS[1])
if (now and '=' .. now or '-') ~= ARGV[1] then return 0 end
if ARGV[2] == '-' then
  redis.call('DEL', KEYS[1])
else
  local done = redis.pcall('SET', KEYS[1], string.sub(ARGV[2], 2), 'PX', ARGV[3])
  if done.err then return done end
end
return 1
"""

Word = bytes | str | int
MakesSense = Callable[[object], bool]
_GLOB = re.compile(r"([\\*?\[\]])")


def _sha(script: bytes) -> str:
    return sha1(script, usedforsecurity=False).hexdigest()


_SHAS = {script: _sha(script) for script in (_SWAP, _LEND)}


class SharedRedis:
    """The `SharedStore` in the redis of SDL, on connections of its own. `patience`: seconds for one call."""

    def __init__(
        self, settings: SdlSettings, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        own = replace(
            settings, connect_timeout=patience, operation_timeout=patience, connections=_CONNECTIONS, fenced=False
        )
        self._client = SdlClient(own, writes=False)
        self._channel = SdlChannel(replace(own, connections=8))
        self._lanes: dict[str, Lane] = {}
        self._clock = clock
        self._silent_until = 0.0
        self._silence = ""

    def start(self) -> None:
        self._client.open()
        self._channel.start()

    def stop(self) -> None:
        self._channel.stop()
        self._lanes.clear()
        self._client.close()

    def read(self, namespace: str, keys: Collection[str]) -> dict[str, bytes]:
        if isinstance(keys, str):
            raise TypeError("keys: a collection of strings, not one string")
        check_namespace(namespace)
        found: dict[str, bytes] = {}
        rest = iter(keys)
        while piece := list(islice(rest, _VALUES_AT_A_TIME)):
            if found:
                turn()
            words: list[Word] = [b"MGET", *(full_key(namespace, key) for key in piece)]
            answer = self._ask(namespace, f"a read of {len(piece)} keys", words, partial(_is_list, len(piece)))
            found.update({key: value for key, value in zip(piece, answer, strict=True) if isinstance(value, bytes)})
        return found

    def keys(self, namespace: str, prefix: str) -> set[str]:
        check_namespace(namespace)
        full = full_key(namespace, "")
        pattern = _GLOB.sub(r"\\\1", full + prefix) + "*"
        keys: set[str] = set()
        cursor = 0
        while True:
            with self._bounded(), self._client.asking(f"the keys {prefix}* of {namespace}"):
                cursor, found = self._client.redis(namespace).scan(cursor, match=pattern, count=_KEYS_AT_A_TIME)
            keys.update(name[len(full) :].decode(errors="replace") for name in found)
            if cursor == 0:
                return keys
            turn()

    def swap(self, swap: Swap) -> Swapped:
        names = [full_key(swap.namespace, key) for key in (*swap.expected, *swap.set, *swap.remove)]
        arguments: list[Word] = [len(swap.expected), len(swap.set), len(swap.remove), "", b"", 0, _ms(swap.seconds)]
        if (entry := swap.entry) is not None:
            log = full_key(swap.namespace, entry.log)
            names += [f"{log}/next", f"{log}/done"]
            arguments[3:6] = [log, entry.payload, entry.most]
        arguments += [_expectation(value) for value in swap.expected.values()]
        arguments += swap.set.values()
        answer = self._run(_SWAP, swap.namespace, names, arguments, _are_numbers)
        return Swapped(answer[0] == 1, answer[1] if answer[1] > 0 else None)

    def lend(self, namespace: str, key: str, expected: bytes | None, value: bytes | None, seconds: float) -> bool:
        check_namespace(namespace)
        check_key(key)
        arguments = (_expectation(expected), _expectation(value), _ms(seconds))
        return bool(self._run(_LEND, namespace, [full_key(namespace, key)], arguments, _is_number) == 1)

    def listen(self, namespace: str, channel: str, wake: Callable[[], None]) -> None:
        self._channel.listen(namespace, channel, lambda payload: wake(), wake)

    def _run(
        self, script: bytes, namespace: str, names: list[str], arguments: Sequence[Word], makes_sense: MakesSense
    ) -> Any:
        words = (len(names), *names, *arguments)
        answer = self._ask(namespace, "a change", (b"EVALSHA", _SHAS[script], *words), makes_sense)
        if isinstance(answer, NoScriptError):
            answer = self._ask(namespace, "a change", (b"EVAL", script, *words), makes_sense)
        return answer

    def _ask(self, namespace: str, what: str, words: Sequence[Word], makes_sense: MakesSense) -> Any:
        """The answer to a command. NoScriptError is one, other errors are raised."""
        with self._bounded(), self._client.asking(f"{what} of {namespace}"):
            server = self._client.server(namespace)
            lane = self._lanes.get(server.where)
            if lane is None:
                lane = self._lanes[server.where] = Lane(server.client)
            (answer,) = lane.ask(packed(*map(_octets, words)), 1)
            if isinstance(answer, NoScriptError):
                return answer
            if isinstance(answer, Exception):
                raise answer
            if not makes_sense(answer):
                lane.drop()
                raise InvalidResponse(f"{answer!r:.80} is no answer to {what}")
            return answer

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Fails at once while redis is silent: one call each _PAUSE s finds out whether it still is."""
        now = self._clock()
        if now < self._silent_until:
            raise StoreUnavailable(self._silence)
        if self._silence:
            self._silent_until = now + _PAUSE
        try:
            yield
        except (StoreTimeout, StoreUnavailable) as error:
            self._silence, self._silent_until = str(error), self._clock() + _PAUSE
            raise
        self._silence, self._silent_until = "", 0.0


def _is_list(length: int, answer: object) -> bool:
    return isinstance(answer, list) and len(answer) == length


def _are_numbers(answer: object) -> bool:
    return isinstance(answer, list) and len(answer) == 2 and all(isinstance(each, int) for each in answer)


def _is_number(answer: object) -> bool:
    return isinstance(answer, int)


def _octets(word: Word) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()


def _ms(seconds: float | None) -> int:
    """Milliseconds as redis takes them; 0: for ever."""
    return 0 if seconds is None else max(1, round(seconds * 1000))


def _expectation(value: bytes | None) -> bytes:
    return b"-" if value is None else b"=" + value
