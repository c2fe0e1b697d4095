"""Sounds that are heard and clips that are watched in a real browser, rated there, and read back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from nextgpt.media import Audio, Video
from reports.study.foreign import read_foreign, write_foreign
from reports.study.making import Made, make_study
from reports.study.material import REFERENCE, Exhibit, Item, Material
from reports.study.opening import open_study
from reports.study.protocols import NEVER, PROTOCOLS
from reports.study.sheets import write_sheets

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra `browser`)")
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
WORTH = {REFERENCE: 100, "clean": 88, "hiss": 60, "the reference below 3.5 kHz": 35}


def recorded() -> list[Audio]:
    """Six recordings of the world, a second of each."""
    paths = sorted((SHARED / "esc50" / "audio").glob("*.wav"))[:6]
    if not paths:
        pytest.skip("no recordings: shared/data/esc50 is not here")
    return [Audio(sound.samples[: sound.rate], sound.rate) for sound in map(Audio.open, paths)]


def made_up() -> list[Audio]:
    """Six chords."""
    time = np.arange(16_000) / 32_000
    tones = [[f * (k + 2) for f in (220, 1500, 3000)] for k in range(6)]
    waves = [np.sin(2 * np.pi * np.outer(tone, time)).sum(axis=0) / 4 for tone in tones]
    return [Audio(wave.astype(np.float32), 32_000) for wave in waves]


def exhibit(sound: Audio) -> Exhibit:
    return Exhibit("audio", sound.wav(), sound.seconds)


def noisy(sound: Audio, much: float) -> Audio:
    noise = much * np.random.default_rng(0).normal(size=len(sound.samples))
    return Audio(np.clip(sound.samples + noise, -1, 1).astype(np.float32), sound.rate)


def listening(folder: Path, sounds: list[Audio], media: Literal["inside", "beside"]) -> Made:
    items = tuple(
        Item(
            "recordings",
            f"s{number}",
            (exhibit(sound),),
            {
                "clean": (exhibit(noisy(sound, 0.001)),),
                "hiss": (exhibit(noisy(sound, 0.05)),),
                REFERENCE: (exhibit(sound),),
            },
        )
        for number, sound in enumerate(sounds)
    )
    made = make_study(folder, PROTOCOLS["mushra"], Material(("clean", "hiss"), items, ()), raters=2, seed=1)
    write_sheets(made, media)
    return made


def open_sheet(browser: Any, made: Made, rater: int) -> Any:
    page = browser.new_context(accept_downloads=True).new_page()
    page.goto((made.study.folder / "raters" / f"rater-{rater}" / "sheet.html").as_uri())
    page.get_by_role("button", name="Begin").click()
    return page


def play(page: Any, kind: str) -> None:
    """Play every sound or clip on the trial to its end."""
    until(page, f"[...document.querySelectorAll('{kind}')].every(e => e.duration > 0.1)")
    page.evaluate(f"document.querySelectorAll('{kind}').forEach(e => {{ e.muted = true; e.play(); }})")
    until(page, f"[...document.querySelectorAll('{kind}')].every(e => e.ended)")


def until(page: Any, condition: str) -> None:
    """Wait for what playwright's own waiting may not look at: the page's policy lets nobody run text."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never came true: {condition}")


def send_back(page: Any, made: Made, rater: int) -> None:
    with page.expect_download() as saved:
        page.locator("#next").click()
    saved.value.save_as(made.study.folder / "returned" / f"answers-{rater}.json")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_where_sounds_are_rated(
    tmp_path: Path, browser: Any, serious: Callable[[Any], str], scheme: str
) -> None:
    made = listening(tmp_path / "study", made_up(), "inside")
    page = browser.new_context(color_scheme=scheme).new_page()
    page.goto((made.study.folder / "raters" / "rater-1" / "sheet.html").as_uri())
    page.get_by_role("button", name="Begin").click()
    assert serious(page) == ""


@pytest.mark.parametrize(("sounds", "media"), [(made_up, "inside"), (recorded, "beside")])
def test_a_listening_test_is_heard_rated_and_read_back(
    tmp_path: Path, browser: Any, sounds: Any, media: Literal["inside", "beside"]
) -> None:
    made = listening(tmp_path / "study", sounds(), media)
    for rater in (1, 2):
        page = open_sheet(browser, made, rater)
        trials = made.study.trials[rater - 1]
        for place, trial in enumerate(trials):
            hidden = made.key.trials[trial.id]
            api.expect(page.locator("#main h2").first).to_have_text(f"Trial {place + 1} of {len(trials)}")
            if place == 0:
                assert page.locator("audio").count() == 5  # what was asked, and four to rate
                play(page, "audio")
            for field in trial.fields:
                slot = hidden.slots[ord(field[-1]) - ord("A")]
                value = hidden.expected.get(field, WORTH.get(slot, 0))
                page.locator(f"fieldset[data-field='{field}'] input[type=number]").fill(str(value))
            if place < len(trials) - 1:
                page.locator("#next").click()
        send_back(page, made, rater)
    result, judgements, returned = open_study(made.study)
    assert returned.complaints == ()
    # Nothing is held against them but that no person is that quick.
    assert [r for each in result.quality for r in each.reasons if "s on a trial" not in r] == []
    means = {score.system: score.value for score in result.kept.scores}
    assert means == {name: float(value) for name, value in WORTH.items()}
    # out in webMUSHRA's form and in again: the same
    (path,) = [each for each in write_foreign(tmp_path, judgements) if each.name == "webmushra.csv"]
    again = read_foreign(path)
    assert sorted(e.value for e in again.ratings) == sorted(e.value for e in judgements.ratings)
    assert {(e.rater, e.system) for e in again.ratings} == {
        (f"rater-{e.rater}", e.system) for e in judgements.ratings
    }


def test_where_a_clip_breaks_is_taken_from_the_player(tmp_path: Path, browser: Any) -> None:
    frames = np.tile(np.linspace(20, 200, 16, dtype=np.uint8)[:, None, None, None], (1, 48, 64, 3))
    broken = frames.copy()
    broken[8:] = 255 - broken[8:]
    clips = {"whole": Video(frames, 16.0), "breaks": Video(broken, 16.0)}
    shown = {name: (Exhibit("video", clip.mp4(), clip.seconds),) for name, clip in clips.items()}
    items = tuple(Item("clips", f"c{n}", ("like this", shown["whole"][0]), shown) for n in range(4))
    made = make_study(tmp_path / "study", PROTOCOLS["breaks"], Material(tuple(clips), items, ()), raters=2)
    write_sheets(made)
    for rater in (1, 2):
        page = open_sheet(browser, made, rater)
        trials = made.study.trials[rater - 1]
        for place, trial in enumerate(trials):
            hidden = made.key.trials[trial.id]
            api.expect(page.locator("#main h2").first).to_have_text(f"Trial {place + 1} of {len(trials)}")
            if hidden.slots[0] == "breaks":
                if place < 3:
                    play(page, "video")
                # what was asked holds a clip too, and it stands elsewhere
                page.evaluate("document.querySelector('.card video').currentTime = 0.2")
                page.evaluate("document.querySelector('.outputs video').currentTime = 0.5")
                page.get_by_role("button", name="Take the second from the player").click()
                assert page.locator("input[type=number]").input_value() == "0.50"
            else:
                page.get_by_role("button", name="It never does").click()
            if place < len(trials) - 1:
                page.locator("#next").click()
        send_back(page, made, rater)
    result, judgements, returned = open_study(made.study)
    assert returned.complaints == ()
    assert {(e.system, e.value) for e in judgements.ratings} == {("whole", 1.0), ("breaks", 0.5)}
    assert {score.system: score.value for score in result.kept.scores} == {"whole": 1.0, "breaks": 0.5}
    assert {hidden.expected.get("breaks_at", NEVER) for hidden in made.key.trials.values()} == {NEVER}
