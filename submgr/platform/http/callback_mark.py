# SPDX-License-Identifier: Apache-2.0
"""How a request is told that goes where a peer wants it."""

MARK = "RIC-Callback"
"""The header field that such a request has."""
