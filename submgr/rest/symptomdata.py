# SPDX-License-Identifier: Apache-2.0
"""Everything that helps to understand what the daemon was doing, as one zip file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import gevent


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of `files` (name to content), packed beside the hub."""
    packed: bytes = gevent.get_hub().threadpool.apply(_packed, (files,))
    return packed


def _packed(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return archive.getvalue()
