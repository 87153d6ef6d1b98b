# SPDX-License-Identifier: Apache-2.0
"""NAS messages that pycrate encodes, and what is no message."""

from __future__ import annotations

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mec import nas_messages

from mec.controller.protocol import nas, nas_session
from mec.controller.protocol.nas_message import Kind, Nas, NasError
from mec.controller.recordings import nas_messages as made

IMSI = "001010000000001"
GUTI = b"\x00\xf1\x10\x80\x01\x01\xc0\x00\x00\x01"

v4 = st.ip_addresses(v=4).filter(lambda each: nas_session.is_host_v4(each.packed)).map(str)
link_local = st.integers(1, 2**64 - 1).map(lambda low: str(ipaddress.IPv6Address((0xFE80 << 112) | low)))
imsis = st.text("0123456789", min_size=6, max_size=15)
gutis = st.binary(min_size=10, max_size=10)


@given(imsis)
def test_imsi_of_attach_detach_and_identity_response(imsi: str) -> None:
    assert nas.read(made.attach_request(imsi), True, None).imsi == imsi
    assert nas.read(nas_messages.identity_response(imsi), True, None).imsi == imsi
    assert nas.read(nas_messages.detach_request(imsi), True, None).imsi == imsi


@given(gutis)
def test_guti_of_every_message_that_has_one(guti: bytes) -> None:
    for message, uplink in [
        (made.attach_request(guti), True),
        (nas_messages.detach_request(guti), True),
        (nas_messages.area_update_request(guti), True),
        (nas_messages.area_update_accept(guti), False),
        (nas_messages.guti_reallocation(guti), False),
        (made.attach_accept(made.default_bearer(["10.0.0.1"]), guti), False),
    ]:
        assert nas.read(message, uplink, None).guti == guti


@given(st.one_of(st.tuples(v4), st.tuples(link_local), st.tuples(v4, link_local)), st.integers(5, 15))
def test_addresses_of_the_default_bearer(addresses: tuple[str, ...], bearer: int) -> None:
    session = made.default_bearer(addresses, bearer)
    expected = Nas(Kind.ATTACH_ACCEPT, guti=GUTI, bearer=bearer, addresses=addresses)
    assert nas.read(made.attach_accept(session, GUTI), False, None) == expected
    assert nas.read(session, False, None) == Nas(Kind.DEFAULT_BEARER, bearer=bearer, addresses=addresses)


@pytest.mark.parametrize("header", [1, 2, 3, 4])
@pytest.mark.parametrize("ciphering", [None, 0])
def test_envelopes_with_null_ciphering(header: int, ciphering: int | None) -> None:
    assert nas.read(made.protected(made.attach_request(IMSI), header), True, ciphering).imsi == IMSI


@pytest.mark.parametrize("header", [2, 4])
@pytest.mark.parametrize("algorithm", [1, 2, 3])
def test_what_is_ciphered_is_not_read_even_if_it_looks_plain(header: int, algorithm: int) -> None:
    assert nas.read(made.protected(made.attach_request(IMSI), header), True, algorithm).kind is Kind.CIPHERED


@pytest.mark.parametrize("algorithm", range(8))
def test_security_mode_tells_the_algorithm(algorithm: int) -> None:
    assert nas.read(made.protected(made.security_mode(algorithm), 3), False, None).ciphering == algorithm


@given(st.binary(min_size=2, max_size=60))
def test_ciphered_octets_are_never_taken_for_an_identity_with_a_known_algorithm(octets: bytes) -> None:
    assert nas.read(made.protected(octets, 2), False, 2) == Nas(Kind.CIPHERED)


@given(st.binary(max_size=80), st.booleans())
def test_any_octets_are_a_message_or_an_error(octets: bytes, uplink: bool) -> None:
    with contextlib.suppress(NasError):
        assert isinstance(nas.read(octets, uplink, None), Nas)


@pytest.mark.parametrize(
    ("message", "uplink"),
    [
        (made.attach_request(IMSI), True),
        (nas_messages.identity_response(IMSI), True),
        (made.attach_accept(made.default_bearer(["10.0.0.1", "fe80::1"]), GUTI), False),
        (nas_messages.guti_reallocation(GUTI), False),
    ],
)
def test_message_cut_at_any_octet_never_gives_another_identity(message: bytes, uplink: bool) -> None:
    whole = nas.read(message, uplink, None)
    for end in range(len(message)):
        try:
            part = nas.read(message[:end], uplink, None)
        except NasError:
            continue
        assert part.imsi in (None, whole.imsi)
        assert part.guti in (None, whole.guti)
        assert part.addresses in ((), whole.addresses)


def test_other_identities_tell_nothing() -> None:
    imei = b"\x07\x56\x08\x3a\x53\x56\x09\x44\x44\x44\x44"
    assert nas.read(imei, True, None) == Nas(Kind.IDENTITY_RESPONSE)


@pytest.mark.parametrize(
    "identity",
    [b"\x09\x10\x10\x10\x32\x54\x76\x98\x10", b"\x09\xa9\x10\x10", b"\x01\x11", b""],
    ids=["16 digits", "a letter", "odd without filling", "nothing"],
)
def test_imsi_that_is_none(identity: bytes) -> None:
    with pytest.raises(NasError):
        nas.read(b"\x07\x56" + bytes([len(identity)]) + identity + b"", True, None)


def test_service_requests_and_others() -> None:
    assert nas.read(nas_messages.service_request(), True, None).kind is Kind.SERVICE_REQUEST
    assert nas.read(b"\x07\x5e", True, None).kind is Kind.OTHER
    assert nas.read(nas_messages.detach_request_of_network(), False, None) == Nas(Kind.DETACH_REQUEST)
