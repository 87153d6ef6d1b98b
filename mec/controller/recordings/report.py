# SPDX-License-Identifier: Apache-2.0
"""What of a recording was not S1AP, and what of its S1AP could not be read."""

from collections import Counter
from dataclasses import dataclass, field

_NAMED = 5


@dataclass(slots=True)
class Report:
    """`skipped`: what is no S1AP, by kind. `lost`: S1AP that is not complete in the recording, with its packet.

    `senders`: the ends of each association that have sent something.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    senders: dict[str, set[tuple[bytes, int]]] = field(default_factory=dict)

    @property
    def one_way(self) -> list[str]:
        """The associations of which one direction only was recorded."""
        return [name for name, senders in self.senders.items() if len(senders) == 1]

    def skipped_in_words(self) -> str:
        """The kinds of what was skipped with their numbers; empty when nothing was."""
        return ", ".join(f"{number} {kind}" for kind, number in self.skipped.items())

    def lost_in_words(self) -> str:
        """The first few of what was lost, and how many more there are."""
        more = len(self.lost) - _NAMED
        return "; ".join(self.lost[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
