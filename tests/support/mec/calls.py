# SPDX-License-Identifier: Apache-2.0
"""Whole S1AP procedures beside those of `mec.controller.recordings.calls`."""

from __future__ import annotations

from mec.controller.recordings import pdus
from mec.controller.recordings.calls import Call
from mec.controller.recordings.nas_messages import protected
from support.mec import nas_messages, s1ap_pdus


def detach(call: Call) -> list[bytes]:
    """A UE leaves."""
    request = protected(nas_messages.detach_request(call.guti), 2, 3)
    return [
        pdus.uplink(call.mme_ue_id, call.enb_ue_id, request, call.place),
        pdus.downlink(call.mme_ue_id, call.enb_ue_id, protected(nas_messages.detach_accept(), 2, 3)),
        *release(call),
    ]


def release(call: Call) -> list[bytes]:
    """A UE goes idle."""
    return [
        s1ap_pdus.release_command(call.mme_ue_id, call.enb_ue_id),
        s1ap_pdus.release_complete(call.mme_ue_id, call.enb_ue_id),
    ]


def service(call: Call) -> list[bytes]:
    """An idle UE comes back."""
    return [
        pdus.initial_ue(call.enb_ue_id, nas_messages.service_request(), call.place, call.guti[5:]),
        pdus.context_setup(call.mme_ue_id, call.enb_ue_id, {5: None}),
    ]
