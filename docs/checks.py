"""What the built documentation must be: complete, closed in itself, and without a page that nobody finds.

Each rule is a function from the project's folder and the site's to a list of complaints.
"""

from __future__ import annotations

import ast
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

PACKAGES = ("nextgpt", "metrics", "benchmarks", "baselines", "reports", "toyworld")
# What a browser fetches by itself when it shows a page.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|audio|video|source)\b[^>]*?\bsrc=["']?(https?:|//)[^\s"'>]*"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*?\bhref=["']?(?:https?:|//)[^\s"'>]*"""
    r"""|@import\s+["'(]*(?:url\()?["']?https?:|url\(\s*["']?(?:https?:|//)"""
)


def rooms(root: Path) -> dict[str, list[str]]:
    """The folders of the source, by dotted name, with the modules in each; no tests, no scripts."""
    found = {}
    for package in PACKAGES:
        for init in sorted((root / package).rglob("__init__.py")):
            room = ".".join(init.parent.relative_to(root).parts)
            names = sorted(path.stem for path in init.parent.glob("*.py"))
            own = [name for name in names if not name.startswith(("_", "test_")) and name != "conftest"]
            found[room] = [f"{room}.{name}" for name in own]
    return found


def first_line(root: Path, room: str) -> str:
    """What a room says of itself."""
    source = root.joinpath(*room.split(".")) / "__init__.py"
    said = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0]


def public_names(root: Path) -> Iterator[str]:
    """Every public function, class and constant, and what a package's ``__all__`` offers besides."""
    for room, modules in rooms(root).items():
        for module in (room, *modules):
            path = root.joinpath(*module.split("."))
            source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            for name in names_of(ast.parse(source.read_text(encoding="utf-8"))):
                yield f"{module}.{name}"


def names_of(tree: ast.Module) -> set[str]:
    """The public names that a module defines, or lists."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            given = [each for target in targets for each in getattr(target, "elts", [target])]
            names |= {each.id for each in given if isinstance(each, ast.Name)}
            if "__all__" in {each.id for each in given if isinstance(each, ast.Name)} and node.value:
                names |= set(ast.literal_eval(node.value))
    return {name for name in names if not name.startswith("_")}


def inventory(site: Path) -> set[str]:
    """The names that the site has an anchor for, from its ``objects.inv``."""
    head, _, packed = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    if not head.startswith(b"# Sphinx inventory version 2"):
        raise ValueError(f"{site / 'objects.inv'}: not an inventory")
    return {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines() if line.strip()}


def names_without_page(root: Path, site: Path) -> list[str]:
    """Public names that the reference does not have."""
    known = inventory(site)
    return [f"{name}: public, and on no page" for name in public_names(root) if name not in known]


def fetched_from_elsewhere(_: Path, site: Path) -> list[str]:
    """What pages and their styles load from another machine."""
    return [
        f"{path.relative_to(site)}: loads {found.group(0)[:100]}"
        for path in sorted([*site.rglob("*.html"), *site.rglob("*.css")])
        for found in _FETCHED.finditer(path.read_text(encoding="utf-8"))
    ]


def pages_that_nobody_finds(_: Path, site: Path) -> list[str]:
    """Pages that no other page links to."""
    linked = set()
    pages = sorted(site.rglob("*.html"))
    for page in pages:
        for target in re.findall(r'href="?([^"\s>#]+)', page.read_text(encoding="utf-8")):
            found = (page.parent / target).resolve()
            if found != page.resolve():
                linked |= {found, found / "index.html"}
    return [
        f"{page.relative_to(site)}: no page links to it"
        for page in pages
        if page.resolve() not in linked and page.name != "404.html"
    ]


RULES: tuple[Callable[[Path, Path], list[str]], ...] = (
    names_without_page,
    fetched_from_elsewhere,
    pages_that_nobody_finds,
)
