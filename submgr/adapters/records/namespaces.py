# SPDX-License-Identifier: Apache-2.0
"""The namespaces of our records in the key-value store, and the keys that are no records."""

E2_NAMESPACE = "submgr_e2SubsDb"
REST_NAMESPACE = "submgr_restSubsDb"
REMOVAL_NAMESPACE = "submgr_removalsDb"
STATE_NAMESPACE = "submgr_stateDb"
NAMESPACES = (REST_NAMESPACE, E2_NAMESPACE, REMOVAL_NAMESPACE, STATE_NAMESPACE)

NEXT_INSTANCE_ID = "nextInstanceId"
"""Key in STATE_NAMESPACE of the mark from which the next start gives out instance ids, a decimal number."""

ROUTES = "routeTable"
"""Key in STATE_NAMESPACE of the last route table that the Routing Manager sent, see `StoredRoutes`."""
