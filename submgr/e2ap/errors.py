# SPDX-License-Identifier: Apache-2.0
"""The exceptions of the codec. It raises no others."""


class EncodeError(Exception):
    """The ASN.1 does not allow the message (a number out of its range, more than 16 actions)."""


class DecodeError(Exception):
    """The octets are none of the seven messages, or break the rules of E2AP 9.1.1."""
