# SPDX-License-Identifier: Apache-2.0
"""The MECs of the proxy's file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mec:
    """A MEC: its number, and the URL of its manager."""

    id: int
    url: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """A MEC that could not be told, and why."""

    mec: Mec
    why: str
