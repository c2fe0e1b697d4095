"""What else is put into the storm: trainings, studies that are answered, and runs on Ray's workers."""

from __future__ import annotations

import dataclasses
import http.client
import io
import json
import os
import shutil
import threading
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.run import evaluate
from benchmarks.harness.storage import RecordError
from benchmarks.storm.jobs import FAULTS, WORKER, WORKERS, Kind, Painter, benchmark, complaints, outcome
from reports.study.ratings import read_returned
from reports.study.records import Study, Trial, Value, read_study
from reports.study.server import Store, StudyServer, links
from tests.nextgpt.backbones import COLOURS, build, plain, random_config
from tests.nextgpt.killed import PLAN
from tests.reports.study.raters import study_of

RATERS, ITEMS = 2, 10


def training(backbones: Path) -> Kind:
    """Stage 1 on tiny random backbones, gone on with after every fault."""
    from nextgpt.checkpoints import load, tensors_hash
    from nextgpt.messages import assistant, user
    from nextgpt.training import loop
    from nextgpt.training.data import Example
    from nextgpt.training.stages import begin

    backbones.mkdir(exist_ok=True)
    build(backbones)
    config = random_config(backbones)
    plan = dataclasses.replace(PLAN, steps=12, save_every=3)

    def train(out: Path) -> None:
        shown = [
            Example((user(plain(colour), "describe the picture."), assistant(f"a {colour} circle")))
            for colour in [*COLOURS] * 6
        ]
        model = begin(config, "encoding", device="cpu")
        with redirect_stdout(io.StringIO()):
            loop.train(model, shown[: plan.examples + plan.held_out], plan, out, resume=True)

    def came_to(out: Path) -> tuple[str, list[int]]:
        steps = [json.loads(line)["step"] for line in (out / loop.LOG).read_text("utf-8").splitlines()]
        return tensors_hash(load(out)[1].items()), steps

    def differs(out: Path, expected: Any) -> list[str]:
        found = came_to(out)
        left = [f"left behind: {path.name}" for path in out.rglob("*.part")]
        return left + ([] if found == expected else [f"trained {found}, undisturbed {expected}"])

    return Kind("training", lambda _: [train], came_to, differs)


def study() -> Kind:
    """A study whose server is killed while people answer; what it confirmed is written down beside it."""

    def answer_all(out: Path) -> None:
        if not (out / "study").exists():
            shutil.rmtree(out / "making", ignore_errors=True)
            study_of(out / "making", "pairwise", raters=RATERS, items=ITEMS)
            (out / "making").rename(out / "study")
        made = read_study(out / "study")
        server = StudyServer(made, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            for rater, secret in enumerate(links(made), start=1):
                have = Store(made).of(rater)
                for trial, said in _said(made, rater).items():
                    if trial not in have:
                        body = {"trial": trial, "answer": said, "seconds": 2.0, "comment": ""}
                        _post(server.server_port, f"/r/{secret}/answers", body)
                        with (out / "confirmed").open("a") as file:
                            file.write(f"{rater} {trial}\n")
        finally:
            server.shutdown()
            server.server_close()

    def came_to(out: Path) -> Any:
        made = read_study(out / "study")
        returned = read_returned(made)
        return {sheet.rater: sheet.answers for sheet in returned.sheets}, returned.complaints

    def differs(out: Path, expected: Any) -> list[str]:
        made = read_study(out / "study")
        said = {rater: _said(made, rater) for rater in range(1, RATERS + 1)}
        found = [] if came_to(out) == (said, ()) else [f"answers {came_to(out)}, given {said}"]
        confirmed = [line.split() for line in (out / "confirmed").read_text().splitlines()]
        return found + [
            f"lost: {trial}" for rater, trial in confirmed if trial not in Store(made).of(int(rater))
        ]

    return Kind("study", lambda _: [answer_all], came_to, differs)


def _said(study: Study, rater: int) -> dict[str, dict[str, Value]]:
    """What a rater answers to every trial; its name decides."""

    def value(trial: Trial, criterion: str) -> Value:
        odd = sum(trial.id.encode()) % 2
        return ("left", "right")[odd] if criterion == "preference" else 2 + odd

    return {
        trial.id: {name: value(trial, criterion) for name, criterion in trial.fields.items()}
        for trial in study.trials[rater - 1]
    }


def _post(port: int, path: str, body: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise RecordError(f"not confirmed: {error}") from error
    finally:
        connection.close()
    if status != 200:
        raise RecordError(f"not confirmed: {status}")


class Told(Painter):
    """The painter, whose workers write down who they are."""

    gpus = 0


def told(pids: Path) -> Told:
    """Makes a `Told` in a worker."""
    with pids.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return Told()


def workers(address: str) -> Kind:
    """A run on two of Ray's workers, which are killed, as is the process that writes."""
    from benchmarks.harness.pool import Pool

    def make(out: Path) -> None:
        out.mkdir(exist_ok=True)
        with Pool(partial(told, out / WORKERS), 2, address) as pool:
            evaluate(benchmark(), pool, out, batch_size=5, progress=False)

    return Kind(
        "workers",
        lambda _: [make],
        outcome,
        complaints,
        (WORKER, WORKER, *(f for f in FAULTS if f != "full disk")),
    )
