# SPDX-License-Identifier: Apache-2.0
"""What the codec raises, and nothing else."""


class EncodeError(Exception):
    """A message that the ASN.1 does not allow (a number out of its range, more than 16 actions)."""


class DecodeError(Exception):
    """Octets that are none of the seven messages, or not as E2AP 9.1.1 has them."""
