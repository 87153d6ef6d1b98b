# SPDX-License-Identifier: Apache-2.0
"""A data file of the manager as people write one."""

SEED = """{
  "users": [
    {
      "imsi": 1234567890,
      "subscriptionData": {
        "subscribedApps": [ 12345 ]
      }
    },
  ],

  "ues": [
    { "imsi": 12345678903, "mecId": 5, "appId": 12345, "state": { "count": 8 } },
    { "imsi": 12345678904, "mecId": 9, "appId": 12345, "state": { "count": 10 } }
  ]
}
"""
