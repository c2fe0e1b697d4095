"""The rules that `tox -e docs` holds the built site to, each on a small site that breaks it.

The site of this project is built by MkDocs, which is in an environment of its own: there the same rules run.
"""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import sys
import zlib
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from PIL import Image

from tests.newcomer import blocks

ROOT = Path(__file__).resolve().parent.parent


def load(name: str) -> ModuleType:
    """A file of docs/, which is no package."""
    spec = spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there for the module of a class
    spec.loader.exec_module(module)
    return module


checks, pictures, docstrings = load("checks"), load("pictures"), load("docstrings")
# The packages that say what they offer.
PACKAGES = [
    ".".join(path.parent.relative_to(ROOT).parts)
    for package in checks.PACKAGES
    for path in sorted((ROOT / package).rglob("__init__.py"))
    if "__all__" in path.read_text(encoding="utf-8")
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one room, whose site is complete."""
    room = tmp_path / "metrics"
    room.mkdir()
    (room / "__init__.py").write_text('"""Scores."""\n__all__ = ["far"]\n')
    (room / "distance.py").write_text("WIDTH, _X = 3, 4\nclass Far: ...\ndef far(): ...\ndef _near(): ...\n")
    (room / "test_distance.py").write_text("def test_far(): ...\n")
    site = tmp_path / "site"
    site.mkdir()
    names = ("metrics.far", "metrics.distance.WIDTH", "metrics.distance.Far", "metrics.distance.far")
    write_inventory(site, names)
    (site / "index.html").write_text('<a href="a.html">a</a> <a href="https://example.org">other</a>')
    (site / "a.html").write_text('<a href="index.html#top">index</a> <img src="a.png">')
    return tmp_path


def write_inventory(site: Path, names: tuple[str, ...]) -> None:
    """The list of anchors that MkDocs leaves for other projects to link to."""
    lines = "".join(f"{name} py:function 1 a.html#$ -\n" for name in names)
    head = b"# Sphinx inventory version 2\n# Project: x\n# Version: 1\n# The rest is compressed using zlib.\n"
    (site / "objects.inv").write_bytes(head + zlib.compress(lines.encode()))


def complaints(project: Path) -> list[str]:
    return [complaint for rule in checks.RULES for complaint in rule(project, project / "site")]


def test_site_that_keeps_the_rules_is_let_through(project: Path) -> None:
    assert complaints(project) == []


def test_public_name_without_a_page_is_seen(project: Path) -> None:
    write_inventory(project / "site", ("metrics.distance.Far", "metrics.distance.far"))
    assert complaints(project) == [
        "metrics.far: public, and on no page",
        "metrics.distance.WIDTH: public, and on no page",
    ]


@pytest.mark.parametrize(
    "line",
    [
        '<script src="https://example.org/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/a.css">',
        "<link href=https://example.org/a.woff rel=preload>",
        '<img alt="" src=https://example.org/a.png>',
        "<style>@import url('https://example.org/a.css');</style>",
        "<style>a { background: url(https://example.org/a.png) }</style>",
    ],
)
def test_what_a_page_would_fetch_from_elsewhere_is_seen(project: Path, line: str) -> None:
    page = project / "site" / "index.html"
    page.write_text(page.read_text() + line)
    (complaint,) = complaints(project)
    assert complaint.startswith("index.html: loads ")


def test_page_that_nobody_finds_is_seen(project: Path) -> None:
    (project / "site" / "b.html").write_text('<a href="b.html">itself</a>')
    assert complaints(project) == ["b.html: no page links to it"]


def test_every_public_name_has_a_room() -> None:
    """What `__all__` of a package offers is found by name, and the rules see this project's packages."""
    names = set(checks.public_names(ROOT))
    for package in PACKAGES:
        assert {f"{package}.{name}" for name in import_module(package).__all__} - names == set()


def assigned(tree: ast.Module) -> set[str]:
    """Names that a module gives to values of its own."""
    plain = [each for line in tree.body if isinstance(line, ast.Assign) for each in line.targets]
    typed = [line.target for line in tree.body if isinstance(line, ast.AnnAssign)]
    return {each.id for each in (*plain, *typed) if isinstance(each, ast.Name)}


@pytest.mark.parametrize("package", PACKAGES)
def test_names_that_load_when_used_are_declared_beside(package: str) -> None:
    """Under TYPE_CHECKING: type checkers and the reference read the source, and would not find them."""
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    named = {each.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names}
    made = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    offered = set(import_module(package).__all__)
    assert offered - named - made - assigned(tree) == set()


def test_every_page_and_every_picture_has_its_place() -> None:
    """A page outside the navigation, or a picture on no page, is an orphan."""
    docs = ROOT / "docs"
    told = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    placed = set(re.findall(r": ([\w-]+\.md)$", told, re.MULTILINE))
    pages = {path.name: path.read_text(encoding="utf-8") for path in docs.glob("*.md")}
    assert set(pages) == placed - {"contributing.md", "changelog.md"}
    shown = {name for text in pages.values() for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)}
    pictured = [path for ending in ("*.png", "*.svg") for path in docs.rglob(ending)]
    assert shown == {path.relative_to(docs).as_posix() for path in pictured}
    assert yaml.safe_load(told)["strict"] is True


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Adds.\n\nExample:\n    >>> 1 + 1\n    2", "Adds.\n\nExamples:\n    >>> 1 + 1\n    2"),
        ("Adds.\n\n>>> 1 + 1\n2\n\nMore.", "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."),
        (
            "Args:\n    a, b: in\n        metres.\n    c: x",
            "Args:\n    a: in\n        metres.\n    b: in\n        metres.\n    c: x",
        ),
        ("As so::\n\n    a", "As so:\n\n    a"),
        (
            "It is.\n\n=== ===\na   b\n=== ===\n\nSo.",
            "It is.\n\n```text\n=== ===\na   b\n=== ===\n```\n\nSo.",
        ),
        ("Says a, b: and more.", "Says a, b: and more."),
    ],
)
def test_docstring_is_shown_as_it_was_meant(written: str, shown: str) -> None:
    assert docstrings.readable(written) == shown


# --- pictures ------------------------------------------------------------------------------------


def test_every_picture_is_made_by_what_its_page_shows() -> None:
    """Or, where that takes minutes, by what `tox -e bench` runs."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    bench = re.sub(r'"\{\[jobs\]bin\}\{/\}([\w-]+)"', r"\1", tox["testenv:bench"]["commands"])
    job = set(bench.replace(" {posargs}", "").splitlines())
    for picture in pictures.PICTURES:
        (page,) = [
            path for path in (ROOT / "docs").glob("*.md") if f"({picture.name})" in path.read_text("utf-8")
        ]
        shown = {line for block in blocks(page.read_text("utf-8")) for line in block.body.splitlines()}
        commands = {command.replace(" {limit}", "").removesuffix(" || true") for command in picture.commands}
        assert commands <= shown or commands <= job, picture.name
    assert {picture.name for picture in pictures.PICTURES} == {
        path.name for path in (ROOT / "docs").glob("*.png")
    }


def test_picture_is_what_a_browser_sees(tmp_path: Path) -> None:
    if not any(map(shutil.which, pictures.BROWSERS)):
        pytest.skip("no chromium here: apt-get install chromium")
    picture = pictures.Picture("a.png", ("echo '<body bgcolor=red>' > a.html",), "a.html", 600, 400)
    pictures.make(picture, tmp_path)
    with Image.open(pictures.take(picture, tmp_path, tmp_path)) as seen:
        assert (seen.size, seen.convert("RGB").getpixel((300, 200))) == ((600, 400), (255, 0, 0))
