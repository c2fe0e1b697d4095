"""The twin on paper: four forms that hold the same, obey no foreign text, and can be checked."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from benchmarks.harness.records import Result, read_run
from nextgpt.rows import harmless
from nextgpt.terminal import one_line
from reports.cli import app
from reports.paper.latex import document, escape
from reports.paper.twin import build_twin
from reports.paper.writers import WRITERS
from tests.hostile import HOSTILE, raw
from tests.reports.invented import NASTY
from tests.reports.paper.runs import answer

FORMULA = '=HYPERLINK("http://evil.example","x")'
LATEX = r"\input{/etc/passwd} } \end{tabular} $x$ %cut & [4cm] * ~^ `' -- \write18{ls} é 名"


def tables(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["tables", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def rename(folder: Path, name: str) -> None:
    """Give the run of a folder another system's name, and seal it again."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"system": name}))
    (folder / "scored.json").write_text(json.dumps(read_run(folder).seal()))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs, among them systems whose names are commands to every sink."""
    out = tmp_path / "runs"
    answer(out, "nextgpt-7b", 27)
    for number, name in enumerate((HOSTILE + NASTY, FORMULA, LATEX)):
        answer(out, f"hostile-{number}", 5)
        rename(out / f"hostile-{number}/vqav2", name)
    return out


class Page(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_all_forms_are_written_and_hold_every_published_figure(runs: Path, tmp_path: Path) -> None:
    code, out, err = tables("--paper", runs, "--out", tmp_path / "paper")
    assert (code, err) == (0, "")
    assert out.startswith("177 published cells: 2 reproduced")
    forms = {path.suffix: path.read_text() for path in (tmp_path / "paper").iterdir()}
    assert forms.keys() == WRITERS.keys()
    rows = list(csv.DictReader(forms[".csv"].splitlines()))
    assert sum(bool(row["published"]) for row in rows) == 177
    assert all(row["setting"] in ("zero-shot", "fine-tuned", "unstated") for row in rows)
    for ending in (".md", ".tex", ".html"):
        shown = forms[ending].replace("{-}", "-")
        for figure in ("124.9", "158.3", "31.97", "0.9647", "reproduced", "not run"):
            assert figure in shown, (ending, figure)


def test_hostile_names_are_shown_and_obeyed_by_no_sink(runs: Path, tmp_path: Path) -> None:
    assert tables("--paper", runs, "--out", tmp_path)[0] == 0
    forms = {ending: (tmp_path / f"paper{ending}").read_text(encoding="utf-8") for ending in WRITERS}
    assert {ending: raw(text) for ending, text in forms.items()} == {ending: [] for ending in WRITERS}
    page = Page(forms[".html"])
    assert not page.tags & {"script", "iframe", "a", "img", "b", "i"}
    assert "<script>alert('x')</script>" in page.text
    tokens = MarkdownIt("commonmark").enable("table").parse(forms[".md"])
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "softbreak"}
    cells = [cell for row in csv.reader(forms[".csv"].splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "-="))]
    assert "'" + FORMULA in cells


@given(st.text())
@example(LATEX)
@example(NASTY)
@example("[x]*")
def test_any_text_is_latex_without_a_command_of_its_own(text: str) -> None:
    found = escape(text)
    assert found.isascii()
    assert "\n" not in found
    known = r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|ldots)\{\}"
    known += r"|\$\\(uparrow|downarrow|times)\$|\$-\$|\\texttt\{U\+[0-9A-F]+\}|\\[{}$&#_%]|\{['`\-\[\]*]\}"
    assert not set(re.sub(known, "", found)) & set("\\{}$&#_%^~[]*`")


@given(st.text())
@example("\n=1+1")
@example("  @SUM(1)")
def test_no_text_of_the_csv_is_a_formula(text: str) -> None:
    assert not harmless(one_line(text)).lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


def test_latex_has_a_block_for_each_table_and_balanced_braces(runs: Path) -> None:
    text = document(build_twin(runs))
    begun, ended = (re.findall(rf"% === {word}: table-(\d+) ===", text) for word in ("BLOCK", "END"))
    assert begun == ended == [str(number) for number in (2, 3, 4, 5, *range(8, 17))]
    bare = re.sub(r"\\[{}\\]", "", text)
    assert bare.count("{") == bare.count("}")
    for body in re.findall(r"\\begin\{tabular\}\{l((?:rl)+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line for line in body[1].splitlines() if line.endswith(r"\\")]
        assert all(len(re.findall(r"(?<!\\)&", line)) == len(body[0]) for line in rows[1:])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles_hostile_names_and_all(runs: Path, tmp_path: Path, scored: Path) -> None:
    assert tables("--paper", runs, "--out", tmp_path, "--scored", scored)[0] == 0
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 20_000


@pytest.mark.parametrize("ending", WRITERS)
def test_check_holds_tables_to_their_runs(runs: Path, tmp_path: Path, ending: str) -> None:
    kept = tmp_path / "kept"
    tables("--paper", runs, "--out", kept)
    file = kept / f"paper{ending}"
    assert tables("--paper", runs, "--check", kept)[0] == 0
    assert tables("--paper", runs, "--check", file)[0] == 0
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"124.9", b"142.9", 1))
    code, _, err = tables("--paper", runs, "--check", file)
    assert code == 1
    assert re.search(rf"paper\{ending}: no longer follows from its runs, first in line \d+", err)
    file.write_bytes(whole[:-1])
    assert tables("--paper", runs, "--check", kept)[0] == 1
    file.write_bytes(whole)
    answer(runs, "other", 30)  # another run: the tables are of yesterday
    assert tables("--paper", runs, "--check", file)[0] == 1
    assert file.read_bytes() == whole, "a check writes nothing"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--paper", "none"], "none: no such folder"),
        (["--paper", "runs", "--check", "runs"], "holds no table that can be checked"),
        (["--paper", "runs", "--check", "none.md"], "none.md: cannot be read"),
        (["--paper", "runs", "--check", "tables.txt"], "tables.txt: holds no table"),
        (["--paper", "runs", "--row", "x"], "write ROW@SETTING=SYSTEM"),
    ],
)
def test_a_mistake_is_one_line(
    runs: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(runs.parent)
    code, out, err = tables(*arguments)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert words in err


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """What another tool judged, as `nextgpt-bench score results --json` writes it."""
    path = tmp_path / "scored.json"
    row = Result(
        "results", HOSTILE + NASTY, FORMULA, LATEX, 0.625, 0.5, 0.75, 8, 2, None, "2 not judged" + HOSTILE
    )
    path.write_text(json.dumps([asdict(row)]))
    return path


def test_what_was_scored_from_files_has_a_table_in_every_form(
    runs: Path, tmp_path: Path, scored: Path
) -> None:
    assert tables("--paper", runs, "--out", tmp_path, "--scored", scored)[0] == 0
    forms = {ending: (tmp_path / f"paper{ending}").read_text(encoding="utf-8") for ending in WRITERS}
    for ending, text in forms.items():
        assert raw(text) == []
        assert "0.625" in text, ending
        assert "2 not judged" in text, ending
    assert "BLOCK: scored" in forms[".tex"]
    assert not Page(forms[".html"]).tags & {"script", "b"}
    assert tables("--paper", runs, "--scored", scored, "--check", tmp_path)[0] == 0
    assert tables("--paper", runs, "--check", tmp_path)[0] == 1
    scored.write_text('[{"system": 1}]')
    code, _, err = tables("--paper", runs, "--scored", scored)
    assert code == 1
    assert "scored.json: not the fields of a result" in err


def test_a_damaged_run_is_left_out_and_told(runs: Path, tmp_path: Path) -> None:
    (runs / "nextgpt-7b/vqav2/run.json").write_text("{")
    code, out, err = tables("--paper", runs, "--out", tmp_path)
    assert code == 1
    assert "0 reproduced" in out
    assert "left out: nextgpt-7b" in err
    assert "nextgpt-7b" in (tmp_path / "paper.md").read_text()
