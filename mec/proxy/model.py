# SPDX-License-Identifier: Apache-2.0
"""The MECs that the proxy knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mec:
    """A MEC by its number, and where its manager answers."""

    id: int
    url: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """A MEC that was not told, and why."""

    mec: Mec
    why: str
