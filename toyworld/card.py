"""The data set card that goes with what `toyworld.export` writes, in the form that the Hub reads."""

from __future__ import annotations

from pathlib import Path

_TASKS = (
    "image-to-text",
    "visual-question-answering",
    "video-text-to-text",
    "audio-text-to-text",
    "any-to-any",
    "text-to-image",
    "text-to-video",
    "text-to-audio",
)


def write_card(folder: Path, count: int) -> Path:
    """Write ``README.md`` and return its path.

    Args:
        folder: of the exported data.
        count: of pictures, of clips, of sounds and of dialogues.
    """
    from huggingface_hub import DatasetCardData

    data = DatasetCardData(
        pretty_name="Toyworld, test split",
        language="en",
        license="cc0-1.0",
        annotations_creators="machine-generated",
        language_creators="machine-generated",
        size_categories="n<1K",
        source_datasets=["original"],
        task_categories=list(_TASKS),
        tags=["synthetic", "toyworld"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "README.md"
    path.write_text(f"---\n{data.to_yaml()}\n---\n\n{_BODY.format(count=count)}", encoding="utf-8")
    return path


_BODY = """# Toyworld, test split

{count} pictures, {count} clips, {count} sounds and {count} dialogues of a made-up world of coloured
shapes that stand, move and sound. Everything is drawn, played and worded by a program from scenes that
are chosen by seed, so every caption, question and answer is right by construction, and an oracle reads
pictures, clips and sounds back into scenes. Sight and sound are tied by rule: the shape sets the timbre,
the size the pitch.

| files | form |
| --- | --- |
| `captions.json`, `images/` | captions of pictures, as COCO's |
| `vqa_questions.json`, `vqa_annotations.json` | questions with ten annotators, as VQA v2's |
| `videodatainfo.json`, `videos/` | captions of clips, as MSR-VTT's |
| `test_qa.json` | open questions on clips, as MSRVTT-QA's |
| `val.csv` | questions on clips with five options, as NExT-QA's |
| `test.csv`, `audio/` | captions of sounds, as AudioCaps' |
| `native/` | NExT-GPT's own JSON, the media of both sides kept |

The test split shares no scene with the training split. A system that was trained on toyworld's own
training split knows the wording; figures on this set say nothing about photographs.
"""
