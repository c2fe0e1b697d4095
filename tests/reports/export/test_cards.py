"""Model cards that the Hub's own library reads back, and uploads that happen only when they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard
from typer.testing import CliRunner

from reports.cli import app
from reports.export.push import uploads
from tests.hostile import HOSTILE, raw
from tests.reports.invented import NASTY, play, right_below
from toyworld.card import write_card


def invoke(*arguments: object, answer: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*map(str, arguments)], input=answer)
    return result.exit_code, result.stdout, result.stderr


def test_a_model_card_holds_each_headline_in_its_metadata_and_its_interval_below(
    runs: Path, tmp_path: Path
) -> None:
    code, out, err = invoke(
        *("export", runs, "--to", "hf-model-card", "--out", tmp_path, "--licence", "apache-2.0"),
        *("--model", "nextgpt-tiny=us/tiny", "--dataset", "invented=us/made-up"),
    )
    assert (code, err) == (0, "")
    assert str(tmp_path / "nextgpt-tiny" / "README.md") in out.splitlines()
    card = ModelCard.load(tmp_path / "nextgpt-tiny" / "README.md")
    assert card.data.license == "apache-2.0"
    (found,) = [each for each in card.data.eval_results if each.dataset_type == "us/made-up"]
    assert (found.metric_type, found.metric_value) == ("exact_match", 0.75)
    assert found.metric_args["signature"]
    assert card.data.model_name == "tiny"
    row = next(line for line in card.text.splitlines() if line.startswith("| exact match |"))
    assert " to " in row
    assert "| 40 |" in row


def test_a_card_without_a_licence_states_none(runs: Path, tmp_path: Path) -> None:
    invoke("export", runs, "--to", "hf-model-card", "--out", tmp_path)
    card = ModelCard.load(tmp_path / "nextgpt-tiny" / "README.md")
    assert card.data.license is None


def test_hostile_text_stays_text_in_a_card(tmp_path: Path) -> None:
    play(tmp_path / "runs", "system", right_below(10))
    manifest = tmp_path / "runs" / "system" / "invented" / "run.json"
    hostile = (NASTY + HOSTILE).replace("\ud800", "")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"source": hostile}))
    code, out, _ = invoke("export", tmp_path / "runs", "--to", "hf-model-card", "--out", tmp_path / "out")
    assert code == 0
    text = Path(out.splitlines()[0]).read_text(encoding="utf-8")
    assert not raw(text)
    assert "\\<script>" in text
    assert yaml.safe_load(text.split("---\n")[1])["model-index"][0]["name"] == "system"


def test_the_card_of_exported_toyworld_is_read_back(tmp_path: Path) -> None:
    card = DatasetCard.load(write_card(tmp_path / "new", 200))
    assert card.data.license == "cc0-1.0"
    assert "visual-question-answering" in card.data.task_categories


def test_a_push_shows_what_would_go_and_asks(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "README.md").write_text("x" * 1234)
    code, out, err = invoke("push", tmp_path / "a", "--to", "us/tiny", answer="n\n")
    assert code == 1
    assert out.split()[:2] == ["1,234", "README.md"]
    assert "Upload this to us/tiny" in err


def test_a_push_where_the_hub_is_switched_off_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "README.md").write_text("x")
    code, _, err = invoke("push", tmp_path, "--to", "us/tiny", "--yes")
    assert code == 1
    assert err == "error: HF_HUB_OFFLINE is set: unset it to push\n"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "is empty"),
        (lambda folder: (folder / "run.json").write_text("{}"), "belongs to a run"),
        (lambda folder: (folder / "link").symlink_to("/etc/hostname"), "is a link"),
    ],
)
def test_what_nobody_should_publish_is_refused(make: object, words: str, tmp_path: Path) -> None:
    make(tmp_path)  # type: ignore[operator]
    code, _, err = invoke("push", tmp_path, "--to", "us/tiny", "--yes")
    assert code == 1
    assert words in err
    assert len(err.splitlines()) == 1


def test_the_history_of_a_folder_is_not_uploaded(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("token")
    (tmp_path / "README.md").write_text("x")
    assert [each.path for each in uploads(tmp_path)] == ["README.md"]


def test_a_repository_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("x")
    code, _, err = invoke("push", tmp_path, "--to", "tiny", "--yes")
    assert code == 1
    assert "ORG/NAME" in err
