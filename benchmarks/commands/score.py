"""``nextgpt-bench score``: what any program made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.commands import CsvFile, JsonFile, show
from nextgpt.terminal import note

if TYPE_CHECKING:
    from benchmarks.harness.records import Result


_OF_MEDIA = ("--prompts", "--extractor", "--resize", "--cache")
_CAPTIONS = ("image-captioning", "video-captioning", "audio-captioning")
_TAKEN = {
    **dict.fromkeys(_CAPTIONS, ("--extractor", "--fluency")),
    "preferences": ("--prompts", "--extractor"),
    "text-to-image": (*_OF_MEDIA, "--atoms"),
    "any-media": ("--prompts", "--extractor"),
}


def score_command(  # noqa: PLR0913 - one parameter for each option
    family: Annotated[
        str,
        typer.Argument(
            help="image-captioning, video-captioning, audio-captioning; vqa, exact-match, next-qa, "
            "activitynet-qa, pope; text-to-image, editing, text-to-video, text-to-audio, any-media; geneval; "
            "people; preferences; results, which another tool wrote for each item; a published benchmark, "
            "as vqav2."
        ),
    ],
    *,
    predictions: Annotated[
        Path,
        typer.Option(
            help="Official results file or our predictions.jsonl; folder of media; features as .npy or "
            ".npz; CSV of judgements; results of VBench, AudioBox, T2AV-Compass, UniM, lmms-eval, inspect_ai."
        ),
    ],
    references: Annotated[
        Path | None,
        typer.Option(
            help="Official annotation file, or its folder; folder of true media, or their features; another "
            "system's results, to compare with."
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="Generated media: JSON from file name, without ending, to the text asked for."),
    ] = None,
    extractor: Annotated[
        list[str] | None,
        typer.Option(
            help="A network of `nextgpt-bench list`, as NAME or NAME:WEIGHTS; for captions minilm; for "
            "pictures also judge:SYSTEM."
        ),
    ] = None,
    atoms: Annotated[
        Path | None,
        typer.Option(help="Pictures by a judge: JSON from file name to a list of statements, for Soft-TIFA."),
    ] = None,
    fluency: Annotated[
        Path | None,
        typer.Option(
            help="Captions by a network: JSON from id to the probability of a fluency error, for FENSE."
        ),
    ] = None,
    resize: Annotated[
        str | None, typer.Option(help="For Inception: clean [the default], pytorch-fid, tf1, torchmetrics.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Generated media: folder that keeps features.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Count samples without an answer as failed.")
    ] = False,
    json: JsonFile = None,
    csv: CsvFile = None,
) -> None:
    """Score what any program made: answers, pictures, clips, sounds; people's and other tools' judgements."""
    from difflib import get_close_matches

    from benchmarks.score import composition, media, preferences
    from benchmarks.score.formats import FAMILIES
    from benchmarks.score.generated import Generated
    from benchmarks.score.published import published_names

    families = (*FAMILIES, *media.FAMILIES, composition.FAMILY, preferences.FAMILY, "people", "results")
    families = (*families, *published_names())
    if family not in families:
        close = get_close_matches(family, families, n=1, cutoff=0.5) or families
        raise typer.BadParameter(f"unknown family {family!r}; did you mean {' or '.join(close)}?")
    given = {"--prompts": prompts, "--extractor": extractor, "--resize": resize, "--cache": cache}
    given |= {"--atoms": atoms, "--fluency": fluency}
    taken = _TAKEN.get(family, _OF_MEDIA if family in media.FAMILIES else ())
    useless = [option for option, value in given.items() if value is not None and option not in taken]
    if useless:
        raise typer.BadParameter(f"{useless[0]} is of no use for {family}; leave it out")
    if fluency is not None and not extractor:
        raise typer.BadParameter("--fluency needs a network of sentences too; name it, as --extractor minilm")
    if family in media.FAMILIES:
        asked = Generated(
            family, predictions, references, prompts, extractor or (), resize, cache, allow_missing, atoms
        )
        found = media.score_generated(asked)
        for missing in found.notes:
            note(f"missing: {missing}")
        results = found.results
    elif family in ("people", "results"):
        results = _score_judged(family, predictions, references)
    elif references is None:
        raise typer.BadParameter(f"{family} is scored against --references; name the annotation file")
    elif family == preferences.FAMILY:
        results = preferences.score_preferences(predictions, references, prompts, *(extractor or ())[:1])
    else:
        network = next(iter(extractor or ()), None)
        results = _score_answers(family, references, predictions, allow_missing, network, fluency)
    show(results, json, csv)
    if all(result.value is None for result in results):
        raise typer.Exit(1)


def _score_answers(
    family: str,
    references: Path,
    predictions: Path,
    allow_missing: bool,
    network: str | None,
    fluency: Path | None,
) -> list[Result]:
    """Answers to questions, and what was seen in pictures; captions by a network that embeds them too."""
    from benchmarks.score.composition import FAMILY, score_composition
    from benchmarks.score.files import score_files, score_sentences
    from benchmarks.score.formats import FAMILIES
    from benchmarks.score.published import score_published

    if family == FAMILY:
        return score_composition(references, predictions, allow_missing=allow_missing)
    score = score_files if family in FAMILIES else score_published
    found = score(family, references, predictions, allow_missing=allow_missing)
    if network is not None:
        found += score_sentences(
            family, references, predictions, network, allow_missing=allow_missing, fluency=fluency
        )
    return found


def _score_judged(family: str, predictions: Path, references: Path | None) -> list[Result]:
    """What people or other tools judged already."""
    from benchmarks.score.judgements import score_judgements
    from benchmarks.score.results import score_results

    if family == "people":
        return score_judgements(predictions)
    results, notes = score_results(predictions, references)
    for remark in notes:
        note(remark)
    return results
