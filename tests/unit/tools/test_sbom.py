# SPDX-License-Identifier: Apache-2.0
"""The bill of materials has a licence for each component."""

from __future__ import annotations

import json

import pytest

from tools.sbom import complete

BILL = json.dumps({"components": [{"name": "PyCrate", "version": "1"}, {"name": "greenlet", "licenses": []}]})


def test_every_component_has_its_licence() -> None:
    told = {"pycrate": "LGPL-2.1-or-later", "greenlet": "MIT AND PSF-2.0"}
    pycrate, greenlet = json.loads(complete(BILL, told))["components"]
    assert pycrate["licenses"] == [{"license": {"id": "LGPL-2.1-or-later"}}]
    assert greenlet["licenses"] == [{"expression": "MIT AND PSF-2.0"}]


def test_a_component_without_a_known_licence_is_an_error() -> None:
    with pytest.raises(KeyError):
        complete(BILL, {"greenlet": "MIT"})
