# SPDX-License-Identifier: Apache-2.0
"""How the HTTP interfaces of the orchestrator answer its errors."""

from mec.common.problem_details import Answers
from mec.meo.errors import Conflict, Rejected, Unavailable, Unknown
from submgr.platform.http.app import ApiError

ANSWERS: Answers = {
    Unknown: lambda error: ApiError(404, str(error)),
    Conflict: lambda error: ApiError(409, str(error)),
    Rejected: lambda error: ApiError(403, str(error), extra={"reasons": error.reasons}),
    Unavailable: lambda error: ApiError(503, str(error), headers={"Retry-After": "1"}),
}
