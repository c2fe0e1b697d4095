"""Pages of the documentation that follow from the source: the reference, and files of the project's root.

Hooks of MkDocs. A room, which is a folder of the source, is a page; every module in it is a section with all
its public names. What the built site must be, `checks` says.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from griffe import Attribute, Extension, Module, Object, ObjectNode
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))  # MkDocs loads a hook by its path

import checks
from docstrings import readable

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the rooms where the navigation says Reference."""
    pages: list[Any] = [
        "reference/index.md",
        *({room: f"reference/{room}.md"} for room in checks.rooms(ROOT)),
    ]
    config.nav = [
        {"Reference": pages} if each == {"Reference": "reference/"} else each for each in config.nav or []
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every room, one that lists them, and what lies in the root of the project."""
    rooms = checks.rooms(ROOT)
    for room, modules in rooms.items():
        files.append(File.generated(config, f"reference/{room}.md", content=room_page(room, modules)))
    files.append(File.generated(config, "reference/index.md", content=contents(rooms)))
    for name, page in BESIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text.replace("](docs/", "](")))
    return files


def on_post_build(config: MkDocsConfig) -> None:
    """Refuse a site that lacks a public name, loads something from elsewhere, or has a page nobody finds.

    Raises:
        PluginError: says what is wrong, a line each.
    """
    complaints = [complaint for rule in checks.RULES for complaint in rule(ROOT, Path(config.site_dir))]
    if complaints:
        raise PluginError("\n".join(complaints))


def room_page(room: str, modules: list[str]) -> str:
    """The page of a room: what it is, then its modules."""
    parts = [f"# {room}", f"::: {room}\n    options:\n      show_root_heading: false"]
    return "\n\n".join([*parts, *(f"::: {module}" for module in modules)]) + "\n"


def contents(rooms: dict[str, list[str]]) -> str:
    """The page that lists the rooms, with what each says of itself."""
    rows = [f"| [{room}]({room}.md) | {checks.first_line(ROOT, room)} |" for room in rooms]
    said = "A page for each folder of the source, with every public name of every file in it."
    return "\n".join(["# Reference", "", said, "", "| room | what it is |", "| --- | --- |", *rows, ""])


class Reader(Extension):
    """What this project writes in a way that griffe does not read by itself."""

    def on_module_members(self, *, node: ast.AST | ObjectNode, mod: Module, **_: Any) -> None:
        """Take in names that one line gives together: ``WIDTH, HEIGHT = 3, 4``."""
        for line in getattr(node, "body", []):
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Tuple):
                names = line.targets[0].elts
                values = line.value.elts if isinstance(line.value, ast.Tuple) else [line.value] * len(names)
                for target, value in zip(names, values, strict=False):
                    if isinstance(target, ast.Name):
                        found = Attribute(target.id, lineno=line.lineno, value=ast.unparse(value))
                        mod.set_member(target.id, found)

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite a docstring."""
        if obj.docstring is not None:
            obj.docstring.value = readable(obj.docstring.value)
