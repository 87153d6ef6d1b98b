# SPDX-License-Identifier: Apache-2.0
"""A CA of the tests' own, and TLS before servers that speak none."""
