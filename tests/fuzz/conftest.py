# SPDX-License-Identifier: Apache-2.0
"""The long run of `make fuzz`: --hypothesis-profile=fuzz."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("fuzz", max_examples=4_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
