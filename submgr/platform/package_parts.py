# SPDX-License-Identifier: Apache-2.0
"""Imports parts of packages whose `__init__` imports all of them, also what a daemon never uses."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any


def import_in_parts(*packages: str) -> None:
    """From now on `import package.part` imports this part and what it needs, and not the whole package before it.

    Who asks the package itself for something gets it as ever: it is imported as a whole then. A package that has been
    imported already, or is not there, is left as it is.
    """
    for package in packages:
        if package not in sys.modules:
            _prepare(package)


def _prepare(package: str) -> None:
    spec = find_spec(package)
    if spec is None or spec.loader is None:
        return  # the statement `import` will tell it
    module, loader = module_from_spec(spec), spec.loader

    def attribute(name: str) -> Any:
        """What the package has under a name, while its code has not run (PEP 562)."""
        if find_spec(f"{package}.{name}") is not None:
            return import_module(f"{package}.{name}")
        del module.__dict__["__getattr__"]
        try:
            loader.exec_module(module)
        except BaseException:
            module.__dict__["__getattr__"] = attribute
            raise
        return getattr(module, name)

    module.__dict__["__getattr__"] = attribute
    sys.modules[package] = module
