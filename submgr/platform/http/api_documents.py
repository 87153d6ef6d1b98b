# SPDX-License-Identifier: Apache-2.0
"""OpenAPI documents of the ports: files of packages, read when somebody asks for the first time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from submgr.platform.native_threads import NativeThreads

Document = dict[str, Any]


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes what occurs twice twice, and makes no anchor of it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_threads = NativeThreads(1)
"""Reading a document takes some ten milliseconds, which nobody else shall wait for."""


class DocumentFile(Struct, frozen=True):
    """A file with an OpenAPI 3 document: its name in a package."""

    package: str
    name: str

    def text(self) -> str:
        """The document as YAML, with its comments."""
        return resources.files(self.package).joinpath(self.name).read_text(encoding="utf-8")

    def content(self) -> Document:
        """The document, parsed."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content: Document = yaml.load(self.text(), Loader=loader)
        return content


class ApiDocument:
    """The document of an interface. Of several files it is made as `merged` says."""

    def __init__(self, *files: DocumentFile) -> None:
        self._files = files
        self._made: dict[str, bytes] = {}

    def as_yaml(self) -> bytes:
        """The document as YAML: of one file its own text."""
        return self._once("yaml", self._yaml)

    def as_json(self) -> bytes:
        """The document as JSON."""
        return self._once("json", lambda: msgspec.json.encode(self.content()))

    def _once(self, form: str, make: Callable[[], bytes]) -> bytes:
        if form not in self._made:
            self._made[form] = _threads.call(make)
        return self._made[form]

    def _yaml(self) -> bytes:
        if len(self._files) == 1:
            return self._files[0].text().encode()
        text: str = yaml.dump(self.content(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
        return text.encode()

    def content(self) -> Document:
        """The document, parsed."""
        contents = [file.content() for file in self._files]
        return contents[0] if len(contents) == 1 else merged(contents)


def merged(documents: list[Document]) -> Document:
    """One document out of several, with the title and the words of the first.

    Paths get the base of their own document, which is its first server, and operations its security. A component that
    another document has under the same name with another content gets the name of its base in front.
    """
    whole: Document = {**documents[0], "servers": [{"url": "/"}], "paths": {}, "components": {}}
    whole.pop("security", None)
    for document in documents:
        base = str(document["servers"][0]["url"]).rstrip("/")
        renamed = _take_components(whole["components"], document.get("components", {}), base)
        for path, operations in document["paths"].items():
            if base + path in whole["paths"]:
                raise ValueError(f"two documents have the path {base}{path}")
            whole["paths"][base + path] = {
                method: _with_security(_referring(operation, renamed), document.get("security"))
                for method, operation in operations.items()
            }
    return whole


def _take_components(known: Document, components: Document, base: str) -> dict[str, str]:
    """Adds components to those that are known. Returns the references that are to be changed, old to new."""
    renamed: dict[str, str] = {}
    for section, parts in components.items():
        there = known.setdefault(section, {})
        for name, part in parts.items():
            if there.get(name, part) != part:
                prefix = "".join(word.capitalize() for word in re.split(r"\W|_", base.partition("/v")[0]))
                renamed[f"#/components/{section}/{name}"] = f"#/components/{section}/{prefix}{name}"
    for section, parts in components.items():
        for name, part in parts.items():
            reference = renamed.get(f"#/components/{section}/{name}", name)
            known[section][reference.rpartition("/")[2]] = _referring(part, renamed)
    return renamed


def _referring(part: Any, renamed: Mapping[str, str]) -> Any:
    """A part of a document with its references changed."""
    if isinstance(part, dict):
        return {
            key: renamed.get(value, value) if key == "$ref" else _referring(value, renamed)
            for key, value in part.items()
        }
    return [_referring(each, renamed) for each in part] if isinstance(part, list) else part


def _with_security(operation: Any, security: Any) -> Any:
    if security is None or not isinstance(operation, dict) or "security" in operation:
        return operation  # a list: parameters of all operations of the path
    return {**operation, "security": security}
