# SPDX-License-Identifier: Apache-2.0
"""Writes fields of protobuf, for entries of R-NIB: the tests do not read what the product's own simulator wrote."""

from __future__ import annotations


def varint(number: int) -> bytes:
    octets = b""
    while number > 0x7F:
        octets += bytes([number & 0x7F | 0x80])
        number >>= 7
    return octets + bytes([number])


def number(field: int, value: int) -> bytes:
    """A field of any whole number type."""
    return varint(field << 3) + varint(value)


def octets(field: int, value: bytes) -> bytes:
    """A field of octets, or of a message."""
    return varint(field << 3 | 2) + varint(len(value)) + value


def text(field: int, value: str | bytes) -> bytes:
    """A field of text, or of octets that are none."""
    return octets(field, value.encode() if isinstance(value, str) else value)
