"""Every sample of a comparison, for the browser of the page: plain rows, which its script filters and shows.

A page of ten thousand samples can't hold ten thousand articles: it holds their texts and scores as JSON, and
the script makes those visible that are looked at. Media lie beside the page, where they were asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Sample
from nextgpt.messages import Failure, Message
from nextgpt.terminal import visible
from reports.evidence import Dossier, Evidence
from reports.gallery import Album, Picture, Shown, read_samples, show_input, show_parts, show_reference
from reports.tables import LOWER_IS_BETTER, metric_words, right_from

_LONGEST = 240  # characters of a text; a page of ten thousand samples is read by a telephone too

Row = list[Any]


@dataclass(frozen=True)
class Browser:
    """What the script of the page is given.

    Attributes:
        systems: names of the compared systems, the baseline last; columns of every row.
        benchmarks: of each its name, family, and metrics with what the script must know of them.
        rows: of each sample the place of its benchmark, its id, slice, input, reference and answers.
        left_out: number of samples that are not among the rows.
        remarks: why inputs and references of a benchmark are not shown.
    """

    systems: tuple[str, ...]
    series: tuple[int, ...]
    benchmarks: tuple[Mapping[str, Any], ...]
    rows: tuple[Row, ...]
    left_out: int
    remarks: tuple[str, ...]

    @property
    def json(self) -> str:
        """The same for a script element, which no text of it can end."""
        import json

        value = {
            "systems": self.systems,
            "series": self.series,
            "benchmarks": self.benchmarks,
            "rows": self.rows,
        }
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def browse(dossier: Dossier, most: int, shelf: Album | None = None, data: Path | None = None) -> Browser:
    """Rows of the compared systems' samples.

    Args:
        dossier: the evidence.
        most: samples of each benchmark; of more, those whose ids have the smallest SHA-256.
        shelf: writes media beside the page; None leaves them out.
        data: folder of the official files, for benchmarks that read them.
    """
    benchmarks, rows, left_out, remarks = list[Mapping[str, Any]](), list[Row](), 0, list[str]()
    for name in dossier.benchmarks if most else ():
        met = [dossier.get(name, system) for system in dossier.main]
        entries = [entry for entry in met if entry is not None and entry.run.results]
        if not entries:
            continue
        version = entries[0].about.version
        # Samples of another version are other samples, even where they share their ids.
        columns = [entry if entry in entries and entry.about.version == version else None for entry in met]
        ids = sorted(
            {sample for entry in columns if entry for sample in entry.answers},
            key=lambda sample: hashlib.sha256(sample.encode(errors="surrogatepass")).digest(),
        )
        left_out += max(0, len(ids) - most)
        metrics = _metrics(entries)
        benchmarks.append(
            {
                "name": visible(name),
                "family": visible(entries[0].about.family),
                "metrics": list(map(_about, metrics)),
            }
        )
        samples, missing = read_samples(entries[0], set(ids[:most]), data, _asked(shelf))
        remarks += [f"{name}: {missing}"] if missing else []
        for sample in ids[:most]:
            part = next((entry.slices[sample] for entry in entries if sample in entry.slices), "")
            answers = [None if entry is None else _answer(entry, sample, metrics, shelf) for entry in columns]
            asked = samples.get(sample, [None, None])
            rows.append([len(benchmarks) - 1, visible(sample), visible(part), *asked, answers])
    series = tuple(dossier.series(system) for system in dossier.main)
    return Browser(
        tuple(map(visible, dossier.main)), series, tuple(benchmarks), tuple(rows), left_out, tuple(remarks)
    )


def _metrics(entries: list[Evidence]) -> list[str]:
    """Metrics with values of single samples, the headline first."""
    headline = entries[0].about.headline
    found = {score.metric for entry in entries for score in entry.run.scores}
    return sorted(found, key=lambda metric: (metric != headline, metric))


def _about(metric: str) -> dict[str, Any]:
    lower = metric in LOWER_IS_BETTER
    return {
        "name": visible(metric),
        "words": visible(metric_words(metric)),
        "lower": lower,
        "right": right_from(metric),
    }


def _asked(shelf: Album | None) -> Any:
    """What a row says of a sample itself; made while it is at hand, so that no picture is held."""

    def row(sample: Sample) -> Row:
        album = shelf or Album(budget=0)
        return [_pane(show_input(sample, album)), _pane(show_reference(sample, album))]

    return row


def _answer(entry: Evidence, sample: str, metrics: list[str], shelf: Album | None) -> Row | None:
    """Texts, media, why it failed, and the value of each metric."""
    prediction = entry.answers.get(sample)
    if prediction is None:
        return None
    values = [entry.items(metric).get(sample) for metric in metrics]
    rounded = [None if value is None else round(value, 4) for value in values]
    answer = prediction.answer if shelf else prediction.said
    if isinstance(answer, Failure):
        return ["", [], _short(f"{answer.stage}: {answer.reason}"), rounded]
    if shelf is None or not isinstance(answer, Message):  # media stay where they are, unopened
        texts = [part for part in answer.parts if isinstance(part, str)]
        return [_short(" / ".join(texts)), [], "", rounded]
    text, media = _pane(show_parts(answer.parts, shelf, f"by {entry.system}"))
    return [text, media, "", rounded]


def _pane(shown: Shown) -> Row:
    """A text, and of each medium its kind, file, width and height."""
    return [_short(" / ".join(shown.texts)), [_medium(each) for each in shown.pictures if each.uri]]


def _medium(shown: Picture) -> Row:
    return [shown.kind, shown.uri, shown.width, shown.height, int(shown.drawn)]


def _short(text: str) -> str:
    whole = visible(text)
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]} …"
