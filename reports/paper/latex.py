"""The twin as LaTeX: a document that compiles by itself, and whose blocks can be copied into a paper.

Each table is a block between ``% === BLOCK`` lines that needs booktabs and graphicx. All text is escaped, so
that no name of a system, however it is written, is a command.
"""

from __future__ import annotations

import re

from nextgpt.terminal import one_line
from reports.paper.twin import LEGEND, SCORED, SCORED_COLUMNS, Entry, Table, Twin, scored_cells
from reports.tables import number

_HEAD = r"""\documentclass{article}
\usepackage[landscape,margin=15mm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\setlength{\parindent}{0pt}
\begin{document}
"""
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "`": "{`}", "'": "{'}", "-": "{-}", "[": "{[}", "]": "{]}", "*": "{*}",
    "−": "$-$", "–": "--", "…": r"\ldots{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$",
    "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
_TO_ESCAPE = re.compile(r"[^A-Za-z0-9 .,;:!?()/+=@]")


def escape(text: object) -> str:
    r"""Plain text as LaTeX that prints as that text, on one line.

    What no font of plain LaTeX has is shown by its number. Brackets and stars are guarded, for behind the end
    of a line they are options; hyphens and quotation marks, for two of them are another character.

    >>> print(escape("50 % of a_b & \\input{x}"))
    50 \% of a\_b \& \textbackslash{}input\{x\}
    >>> print(escape("x²"))
    x\texttt{U+00B2}
    """
    return _TO_ESCAPE.sub(_escaped, one_line(text))


def document(twin: Twin) -> str:
    """All tables, one on each page."""
    blocks = [_HEAD, f"{escape(LEGEND)}\n\n{escape(twin.summary)}.\n"]
    blocks += [f"\\clearpage\n{block(table)}" for table in twin.tables]
    if twin.scored:
        blocks.append(f"\\clearpage\n{_scored(twin)}")
    for title, lines in (("In no table of the paper", twin.elsewhere), ("Left out", twin.left_out)):
        if lines:
            blocks.append(
                f"\\clearpage\n{escape(title)}:\n\n" + "".join(f"{escape(line)}\n\n" for line in lines)
            )
    return "\n".join([*blocks, "\\end{document}", ""])


def block(table: Table) -> str:
    """One table, between lines that say where it begins and ends."""
    pairs = "".join("rl" for _ in table.columns)
    rules = "".join(f"\\cmidrule(lr){{{2 * k + 2}-{2 * k + 3}}}" for k in range(len(table.columns)))
    heads = " & ".join(f"\\multicolumn{{2}}{{c}}{{{escape(column.heading)}}}" for column in table.columns)
    lines = [
        f"% === BLOCK: table-{table.number} ===",
        r"\begin{table}[p]",
        r"\centering",
        f"\\caption{{Table {table.number} of the paper: {escape(table.title)}}}",
        r"\resizebox{\linewidth}{!}{%",
        f"\\begin{{tabular}}{{l{pairs}}}",
        r"\toprule",
        f" & {heads} \\\\",
        rules,
        f"system{' & published & measured' * len(table.columns)} \\\\",
        r"\midrule",
        *(_row(table, row) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\begin{minipage}{\linewidth}\footnotesize\medskip",
        *(f"{escape(remark)}\\par" for remark in table.remarks),
        *(f"\\textsuperscript{{{mark}}}~{escape(words)}\\par" for words, mark in table.footnotes.items()),
        r"\end{minipage}",
        r"\end{table}",
        f"% === END: table-{table.number} ===",
    ]
    return "\n".join(lines) + "\n"


def _scored(twin: Twin) -> str:
    """The table of what was scored from files of other programs."""
    rows = [" & ".join(map(escape, scored_cells(result))) + r" \\" for result in twin.scored]
    lines = [
        "% === BLOCK: scored ===",
        r"\begin{table}[p]",
        r"\centering",
        f"\\caption{{{escape(SCORED)}}}",
        r"\resizebox{\linewidth}{!}{%",
        f"\\begin{{tabular}}{{{'l' * len(SCORED_COLUMNS)}}}",
        r"\toprule",
        " & ".join(map(escape, SCORED_COLUMNS)) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table}",
        "% === END: scored ===",
    ]
    return "\n".join(lines) + "\n"


def _row(table: Table, row: str) -> str:
    cells = [escape(row)]
    for column in table.columns:
        cells += _cells(table, table.entries.get((row, column)))
    return " & ".join(cells) + r" \\"


def _cells(table: Table, entry: Entry | None) -> tuple[str, str]:
    if entry is None:
        return "", ""
    printed = escape(entry.published.printed) if entry.published else "--"
    marks = ",".join(map(str, table.marks(entry)))
    raised = f"\\textsuperscript{{{marks}}}" if marks else ""
    run = entry.measured
    if run is None:
        return printed, f"{entry.verdict.kind}{raised}"
    value = escape(number(run.value))
    value = f"\\textbf{{{value}}}" if run.best else value
    return printed, f"{value} {escape(entry.beside)}{raised}"


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return _SPECIAL.get(character) or f"\\texttt{{U+{ord(character):04X}}}"
