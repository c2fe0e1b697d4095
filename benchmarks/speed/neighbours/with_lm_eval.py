"""The null system under lm-eval: ``python with_lm_eval.py SAMPLES FOLDER`` prints its accuracy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import datasets
from lm_eval import evaluator
from lm_eval.api.model import LM
from lm_eval.api.task import ConfigurableTask


class Null(LM):  # type: ignore[misc, unused-ignore]
    """A model that always says the same."""

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        """The same text to every request."""
        return ["yes" for _ in requests]

    def loglikelihood(self, requests: Any) -> Any:
        """Nobody asks."""
        raise NotImplementedError

    def loglikelihood_rolling(self, requests: Any) -> Any:
        """Nobody asks."""
        raise NotImplementedError


def main(count: int, folder: str) -> None:
    """Print the accuracy, and write the samples as its command line does."""
    rows = [
        {"question": f"Is {k} an even number?", "answer": "no" if k % 2 else "yes"}
        for k in range(1, count + 1)
    ]
    task = ConfigurableTask(
        config={
            "task": "even",
            "custom_dataset": lambda **_: {"test": datasets.Dataset.from_list(rows)},
            "test_split": "test",
            "output_type": "generate_until",
            "doc_to_text": "{{question}}",
            "doc_to_target": "{{answer}}",
            "generation_kwargs": {"until": ["\n"]},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        }
    )
    found = evaluator.evaluate(Null(), {"even": task}, bootstrap_iters=0, log_samples=True)
    lines = [json.dumps(each, default=str) for each in found["samples"]["even"]]
    Path(folder, "samples.jsonl").write_text("\n".join(lines), encoding="utf-8")
    print(found["results"]["even"]["exact_match,none"])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
