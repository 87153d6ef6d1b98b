# SPDX-License-Identifier: Apache-2.0
"""Packs the symptom data: files that show an operator what the daemon was doing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from submgr.platform.native_threads import in_thread


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of `files` (name to content). A native thread packs it, so that the hub goes on."""
    return in_thread(_packed, files)


def _packed(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return archive.getvalue()
