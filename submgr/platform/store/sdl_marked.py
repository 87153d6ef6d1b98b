# SPDX-License-Identifier: Apache-2.0
"""The writes to one redis server as they carry its marker: one script checks it, writes, and sets the next one.

Scripts are atomic in redis. Their arguments and answers are made and read here; `Server` sends them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from redis.exceptions import InvalidResponse

from submgr.platform.store.base import StoreFenced, StoreLost
from submgr.platform.store.marker import NAMESPACE, Marker

_log = logging.getLogger(__name__)

CHANGES = "changes"
"""The channel of each namespace on which the process that has the records publishes the keys that it writes."""

# KEYS: the marker, the keys to set, those to remove. ARGV: the marker that must be there, or a later one of the same
# epoch (empty: nothing is checked), the marker to set (empty: the one that is there), the channel on which to publish
# which keys were written (empty: none), the values.
# `pcall`, since `call` would wrap the errors of redis in others. Lua passes a bounded number of arguments. A full
# database takes removals, and keeps the marker that it has.
WRITE = b"""
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] and ARGV[1] ~= '' then
  local least, order = string.match(ARGV[1], '^(%d+):(%d+)')
  local epoch, sequence = string.match(held or '0:0', '^(%d+):(%d+)')
  epoch, sequence = tonumber(epoch or 0), tonumber(sequence or 0)
  if epoch > tonumber(least) then return {'FENCED', held} end
  if epoch < tonumber(least) or sequence < tonumber(order) then return {'LOST', held} end
end
local last = #ARGV - 2
local mark = ARGV[2] ~= '' and ARGV[2] or held
local some = mark and {KEYS[1], mark} or {}
for i = 2, last do
  some[#some + 1] = KEYS[i]
  some[#some + 1] = ARGV[i + 2]
  if #some >= 2000 then
    local done = redis.pcall('MSET', unpack(some))
    if done.err then return done end
    some = {}
  end
end
if #some > 0 then
  local done = redis.pcall('MSET', unpack(some))
  if done.err then
    if last > 1 or #KEYS == 1 then return done end
    mark = held
  end
end
for first = last + 1, #KEYS, 1000 do
  local done = redis.pcall('DEL', unpack(KEYS, first, math.min(first + 999, #KEYS)))
  if type(done) == 'table' then return done end
end
if ARGV[3] ~= '' then
  local keys, prefix = {}, #ARGV[3] - #'changes' + 1
  for i = 2, #KEYS do keys[i - 1] = string.sub(KEYS[i], prefix) end
  redis.pcall('PUBLISH', ARGV[3], table.concat(keys, '\\n'))
end
return mark
"""

# KEYS: the marker. ARGV: the largest epoch that may be there, the marker to set.
TAKE = b"""
local held = redis.call('GET', KEYS[1])
if tonumber(string.match(held or '', '^(%d+):') or 0) > tonumber(ARGV[1]) then return {'FENCED', held} end
local done = redis.pcall('MSET', KEYS[1], ARGV[2])
if done.err then return done end
return {'OK', ARGV[2]}
"""


class Marked:
    """What this process knows of the marker of one server, and the arguments of the scripts for it.

    `where`: the server, in words. `fencing`: only the process with the largest epoch may write. Without it a process
    takes the server by itself; when another one takes it as well, both write on and nothing is checked any more.

    `epoch`: mine, None while the server is not taken. `known`: the newest marker that has been there for certain.
    `lost`: the server has lost writes, and nothing is written until it is taken again. `incomplete`: they are being
    written back. `overtaken`: another process has taken the server; `shared`: it has, and both write. `takes`: how
    often this one has.
    """

    def __init__(self, program: str, place: int, where: str, *, fencing: bool) -> None:
        self.key = f"{{{NAMESPACE}}},{program}:{place}".encode()
        self.fencing = fencing
        self.epoch: int | None = None
        self.known = Marker()
        self.lost = False
        self.overtaken = False
        self.takes = 0
        self._where = where
        self.shared = False
        self._sent = 0
        self._newest = Marker()
        self._newest_text = bytes(self._newest)
        self.incomplete = False

    @property
    def takes_by_itself(self) -> bool:
        """Whether the next look has to take the server."""
        return self.epoch is None and not self.fencing

    @property
    def _checked(self) -> bool:
        """Whether a write has to find the marker of this process."""
        return self.epoch is not None and not self.shared

    def writing(self, keys: Collection[bytes], values: Collection[bytes]) -> list[bytes]:
        """The arguments of WRITE. `keys`: those to set to `values`, then those to remove.

        Raises StoreFenced and StoreLost when they would be refused, as far as is known.
        """
        if self.epoch is None and self.fencing:
            raise StoreFenced("not written: this process does not have the records")
        if self.lost:
            raise StoreLost(f"redis at {self._where} has lost writes")
        if self.shared or self.epoch is None:
            return self._arguments(keys, b"", b"", values)
        least = self._newest_text if self.known is self._newest else bytes(self.known)
        self._sent += 1
        self._newest = Marker(self.epoch, self._sent, self.incomplete)
        self._newest_text = bytes(self._newest)
        return self._arguments(keys, least, self._newest_text, values)

    def looking(self) -> list[bytes]:
        """The arguments of a WRITE that leaves everything as it is."""
        return self._arguments((), bytes(self.known) if self._checked and not self.lost else b"", b"", ())

    def _arguments(self, keys: Collection[bytes], least: bytes, mark: bytes, values: Collection[bytes]) -> list[bytes]:
        channel = _channel(next(iter(keys))) if self.fencing and keys else b""
        return [b"%d" % (1 + len(keys)), self.key, *keys, least, mark, channel, *values]

    def written(self, answer: Any, takes: int) -> bool:
        """Takes the answer of WRITE, whose arguments were made after so many takes.

        False: nothing was written, and the same is to be sent without a check. Raises StoreFenced and StoreLost.
        """
        if answer is None or isinstance(answer, bytes):
            held = self._newest if answer == self._newest_text else Marker.parse(answer)
            if held.epoch != self.epoch and self._checked and not self.lost and takes == self.takes:
                raise InvalidResponse(f"no marker of this process: {answer!r:.80}")
            self.known = max(self.known, held)
            return True
        if _says(answer, b"FENCED"):
            return self._fenced(Marker.parse(answer[1]))
        if not _says(answer, b"LOST"):
            raise InvalidResponse("neither a marker nor what has become of it")
        if takes == self.takes:
            self.lost = True
        raise StoreLost(f"redis at {self._where} has lost writes: {bytes(self.known)!r} was there")

    def first(self, epoch: int, held: Marker) -> Marker:
        """The marker to take the server with. `held`: the one that is there."""
        if self.fencing:
            return Marker(epoch, 0, held.incomplete or held < self.known)
        if held.incomplete:
            _log.warning("redis at %s lost writes, and the run before this one ended before all were back", self._where)
        return Marker(epoch)

    def again(self) -> Marker:
        """The marker to take the server with after it has lost writes: all is written back from here on."""
        assert self.epoch is not None
        return Marker(self.epoch, self._sent + 1, incomplete=True)

    def complete(self) -> list[bytes]:
        """The arguments of a WRITE that says that all has been written back."""
        self.incomplete = False
        return self.writing((), ())

    def taking(self, mark: Marker) -> list[bytes | int]:
        """The arguments of TAKE.

        Two processes that take the server by themselves at the same time must not get the same epoch.
        """
        return [1, self.key, mark.epoch - 1 if self.takes_by_itself else mark.epoch, bytes(mark)]

    def taken(self, answer: Any, mark: Marker) -> None:
        """Takes the answer of TAKE. Raises StoreFenced."""
        if _says(answer, b"FENCED"):
            if not self.takes_by_itself:  # else the next look tries again
                self._fenced(Marker.parse(answer[1]))
            return
        if not _says(answer, b"OK"):
            raise InvalidResponse("neither taken nor fenced")
        # what a server held that is taken for the first time is written back by those who knew it
        self.lost = mark.incomplete and mark.epoch != self.epoch
        self.epoch, self._sent, self.incomplete = mark.epoch, mark.sequence, mark.incomplete
        self.known = mark
        self.takes += 1

    def release(self) -> None:
        """Nothing is written any more until the server is taken anew."""
        self.epoch = None
        self.lost = self.overtaken = False

    def _fenced(self, held: Marker) -> bool:
        self.known = max(self.known, held)
        if self.fencing:
            self.overtaken = True
            raise StoreFenced(f"not written: epoch {held.epoch} has redis at {self._where}, {self.epoch} is over")
        if not self.shared:
            _log.warning("another process writes to redis at %s, too: losses of it are not seen any more", self._where)
        self.shared, self.lost = True, False
        return False


def _channel(key: bytes) -> bytes:
    """Where standbys listen for the keys that are written to the namespace of `key`."""
    return b"%b},%b" % (key.partition(b"},")[0], CHANGES.encode())


def _says(answer: Any, status: bytes) -> bool:
    """Whether a script has answered with this status, and the marker that is there."""
    return isinstance(answer, list) and len(answer) == 2 and answer[0] == status
