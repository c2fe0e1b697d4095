"""From a sound to its caption, among captions of all sounds.

name: sound-retrieval
data set: AudioCaps, ``captions.csv``; the clips of sound-captions are asked about, all captions are options
protocol: multiple choice: a caption of the clip among captions of the others, five questions of a clip; a
    reply that chooses no option is wrong, and counted. Its accuracy is recall at 1.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cards import card
from benchmarks.harness.benchmark import Broken
from benchmarks.tasks.lettered import LETTERS, lettered
from benchmarks.tasks.photographs.kept import kept_back
from benchmarks.tasks.photographs.sound_captions import NOTE, every
from benchmarks.tasks.published import Files, Protocol, Record, published
from benchmarks.tasks.videos.next_qa import choice_uses

PROMPT = "Which sentence describes the sound?\n{options}\nAnswer with the letter of the right option."


def read(files: Files) -> Iterator[Record | Broken]:
    """As many questions of each clip as it has captions."""
    from metrics.answers.choices import Choice

    clips = list(every(files))[: len(LETTERS)]
    for place, clip in enumerate(clips):
        if not kept_back(clip.id):
            continue
        for number, _ in enumerate(clip.references["captions"]):
            given = [each.references["captions"] for each in clips]
            options = tuple(captions[min(number, len(captions) - 1)] for captions in given)
            asked = PROMPT.format(options=lettered(options))
            choice = {"choice": Choice(options, place)}
            yield Record(f"{clip.id}-{number + 1}", (clip.said[0], asked), choice, group=clip.id)


SOUND_RETRIEVAL = published(
    card("sound-retrieval"), read, Protocol(prompt=PROMPT, metrics=choice_uses(), note=NOTE)
)
