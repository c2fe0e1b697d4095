"""Answers and captions that a language model judges: any system is the judge, its run the record.

name: judged-answers, judged-captions, judge-sentinel
data set: answers of a finished run, or of anyone: ``judged.jsonl``, a line ``{"id", "question", "reference",
    "answer"}`` each, or the folder of a run whose benchmark makes its own data; the sentinel is shipped
licence: that of what is judged; of the sentinel CC0 1.0
protocol: one question each, greedy; a reply off the menu is not scored and counted, never guessed at. The
    judge's name and fingerprint, a hash of the prompt and every raw reply stand in the run, which
    ``answers:`` replays. A sample whose system failed is not judged. The sentinel's verdicts are known and
    never change: a judge whose run of it moves has drifted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Benchmark, Broken, MetricUse, Options, Sample
from benchmarks.harness.records import FILE, MANIFEST, read_predictions, read_run
from benchmarks.tasks.official import DataError, data_folder, identity, rows_of, text
from metrics.judges.replies import (
    CLAIR_PROMPT,
    VERDICT_PROMPT,
    Clair,
    JudgedAnswers,
    VerdictAccuracy,
    clair_score,
    verdict,
)
from nextgpt.messages import Failure, Message, Request, user

JUDGED, SENTINEL = "judged.jsonl", Path(__file__).with_name("sentinel.jsonl")
PROMPT, CAPTION_PROMPT = VERDICT_PROMPT, CLAIR_PROMPT
Line = Mapping[str, Any]


def _load(options: Options, *, prompt: str, called: str) -> Iterator[Sample | Broken]:
    folder = data_folder(options, called, "runs/nextgpt-tiny/toy-vqa")
    if (folder / JUDGED).is_file():
        yield from _samples(folder / JUDGED, prompt)
    elif (folder / MANIFEST).is_file():
        yield from _of_run(folder, prompt)
    else:
        raise DataError(f"{folder}: neither {JUDGED} nor {MANIFEST} is here; name what is to be judged.")


def _samples(path: Path, prompt: str) -> Iterator[Sample]:
    for where, row in rows_of(path):
        fields = {name: text(row, name, where) for name in ("reference", "answer")}
        fields["question"] = str(row.get("question", ""))
        key = identity(row, "id", where)
        known = {} if "verdict" not in row else {"verdict": row["verdict"] == "yes"}
        yield Sample(key, _asked(prompt, fields), {**fields, **known}, group=str(row.get("group", key)))


def _of_run(folder: Path, prompt: str) -> Iterator[Sample | Broken]:
    from benchmarks.registry import benchmark_of_run

    run = read_run(folder)
    benchmark = benchmark_of_run(run.manifest)
    answers = {each.sample: each.answer for each in read_predictions(folder / FILE)}
    for sample in benchmark.samples(Options(None, run.manifest.limit)):
        if isinstance(sample, Broken):
            yield sample
            continue
        answer = answers.get(sample.id, Failure("missing", "no answer in the run"))
        if isinstance(answer, Failure):
            yield Broken(sample.id, f"{run.manifest.system} failed: {answer.reason}")
            continue
        fields = {
            "question": sample.request.conversation[-1].text,
            "reference": _true(sample, folder),
            "answer": answer.text,
        }
        yield Sample(sample.id, _asked(prompt, fields), fields, group=sample.group)


def _true(sample: Sample, folder: Path) -> str:
    """The reference that a judge is shown: an answer, that of most annotators, or a caption."""
    found = sample.references
    if isinstance(found.get("answer"), str):
        return str(found["answer"])
    if "annotation" in found:
        said = [str(each["answer"]) for each in found["annotation"]["answers"]]
        return max(dict.fromkeys(said), key=said.count)
    if found.get("captions"):
        return str(found["captions"][0])
    raise DataError(f"{folder}: sample {sample.id} has no answer or caption to judge by.")


def _asked(prompt: str, fields: Mapping[str, str]) -> Request:
    return Request((user(prompt.format(**fields)),))


def _reply(read: Callable[[str], object]) -> Callable[[Message], str | None]:
    """The raw reply; None where it is off the menu."""

    def picked(answer: Message) -> str | None:
        return answer.text if read(answer.text) is not None else None

    return picked


def _nothing(sample: Sample) -> None:
    """A verdict is held against nothing: it is the score."""


def _known(sample: Sample) -> bool:
    return bool(sample.references["verdict"])


def _benchmark(
    called: str, prompt: str, use: MetricUse, load: Any, *, licence: str, samples: int | None
) -> Benchmark:
    protocol: dict[str, str | int | float] = {"prompt": prompt, "split": "as given"}
    if samples is not None:
        protocol |= {"samples": samples, "split": "frozen"}
    return Benchmark(
        name=called,
        family="judging",
        version=1,
        source="what is judged" if samples is None else "made here",
        licence=licence,
        protocol=protocol,
        load=load,
        metrics=(use,),
        headline=use.name,
        accepts=frozenset({"text"}),
        produces=frozenset({"text"}),
        note="a language model judged; its raw replies are the answers of this run",
    )


def _sentinel(options: Options) -> Iterator[Sample]:
    yield from _samples(SENTINEL, PROMPT)


JUDGED_ANSWERS = _benchmark(
    "judged-answers",
    PROMPT,
    MetricUse("judged_right", JudgedAnswers, _reply(verdict), _nothing, failure="left-out"),
    partial(_load, prompt=PROMPT, called="judged-answers"),
    licence="that of what is judged",
    samples=None,
)
JUDGED_CAPTIONS = _benchmark(
    "judged-captions",
    CAPTION_PROMPT,
    MetricUse("clair", Clair, _reply(clair_score), _nothing, failure="left-out"),
    partial(_load, prompt=CAPTION_PROMPT, called="judged-captions"),
    licence="that of what is judged",
    samples=None,
)
JUDGE_SENTINEL = _benchmark(
    "judge-sentinel",
    PROMPT,
    MetricUse("verdict_accuracy", VerdictAccuracy, _reply(verdict), _known, failure="left-out"),
    _sentinel,
    licence="CC0 1.0",
    samples=60,
)
