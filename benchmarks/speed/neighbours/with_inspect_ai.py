"""The null system under inspect_ai: ``python with_inspect_ai.py SAMPLES FOLDER`` prints its accuracy."""

from __future__ import annotations

import sys
from typing import Any

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelAPI, ModelOutput, modelapi
from inspect_ai.scorer import exact
from inspect_ai.solver import generate


@modelapi(name="null")  # type: ignore[untyped-decorator, unused-ignore]
class Null(ModelAPI):  # type: ignore[misc, unused-ignore]
    """A model that always says the same."""

    async def generate(self, *_: Any, **__: Any) -> Any:
        """The same text to every request."""
        return ModelOutput.from_content("null", "yes")


def main(count: int, folder: str) -> None:
    """Print the accuracy."""
    questions = [
        Sample(id=k, input=f"Is {k} an even number?", target="no" if k % 2 else "yes")
        for k in range(1, count + 1)
    ]
    task = Task(dataset=MemoryDataset(questions), solver=generate(), scorer=exact())
    at_once = {"max_samples": 32, "max_connections": 32}  # as many as a batch of ours
    (log,) = inspect_ai.eval(task, model="null/null", display="none", log_dir=folder, **at_once)
    print(log.results.scores[0].metrics["mean"].value)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
