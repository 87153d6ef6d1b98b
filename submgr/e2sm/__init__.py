# SPDX-License-Identifier: Apache-2.0
"""E2 service models: what the octets of event triggers, action definitions and RAN function definitions say."""
