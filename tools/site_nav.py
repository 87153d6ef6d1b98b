# SPDX-License-Identifier: Apache-2.0
"""A hook of mkdocs: the navigation of the site has every decision, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    """Fills in `Decisions`."""
    pages = sorted((Path(config["docs_dir"]) / "decisions").glob("*.md"))
    for part in config["nav"]:
        for section in part.values():
            for entry in section if isinstance(section, list) else []:
                if "Decisions" in entry:
                    entry["Decisions"] = [f"decisions/{page.name}" for page in pages]
    return config
