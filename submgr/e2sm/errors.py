# SPDX-License-Identifier: Apache-2.0
"""Why octets cannot be read, or values cannot be written. No error leaves `submgr.e2sm.decoding`."""


class Unreadable(ValueError):
    """These octets are no body of the layout that was tried."""


class TooMuch(Unreadable):
    """A body with more elements, or deeper nesting, than a reader takes."""


class Unwritable(ValueError):
    """A value that the layout has no place for."""
