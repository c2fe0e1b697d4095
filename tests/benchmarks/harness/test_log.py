from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.log import PredictionLog
from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import Prediction, read_predictions, to_line
from benchmarks.harness.storage import RecordError
from nextgpt.messages import Failure, assistant


@settings(max_examples=30)
@given(cut=st.integers(0, 200))
def test_a_log_cut_anywhere_is_mended_and_continued(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    all_of_them = [Prediction(str(k), assistant(f"answer {k}")) for k in range(3)]
    whole = b"".join(to_line(prediction, folder) for prediction in all_of_them)
    (folder / "predictions.jsonl").write_bytes(whole[: min(cut, len(whole))])
    with Owner(folder) as owner, PredictionLog(owner) as log:
        log.append([p for p in all_of_them if p.sample not in log.answered])
    assert (folder / "predictions.jsonl").read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_not_dropped_silently(tmp_path: Path) -> None:
    whole = [to_line(Prediction(sample, assistant()), tmp_path) for sample in "12"]
    (tmp_path / "predictions.jsonl").write_bytes(b"{broken\n".join(whole))
    with pytest.raises(RecordError, match="line 2: not JSON"):
        PredictionLog(Owner(tmp_path))


def test_failures_can_be_forgotten_and_the_rest_stays(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("1", Failure("plan", "no")), Prediction("2", assistant("error"))])
        assert log.forget_failures() == 1
        assert log.answered == {"2": False}
        log.append([Prediction("1", assistant("yes"))])
    assert [p.sample for p in read_predictions(log.path)] == ["2", "1"]


def test_an_answer_that_can_not_be_read_is_run_again_like_any_other_failure(tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"no picture")
    parts = '{"parts": [{"image": "no.png"}]}, "seconds": 1'
    (tmp_path / "predictions.jsonl").write_text(f'{{"sample": "1", "message": {parts}}}\n')
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("2", assistant("yes"))])
        assert log.forget_failures() == 1
        assert log.answered == {"2": False}
