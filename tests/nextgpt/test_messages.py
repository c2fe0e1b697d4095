"""Messages, requests and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Request, assistant, seed_of, user

PICTURE = Image(np.zeros((2, 2, 3), np.uint8))


def test_text_and_images_of_a_message() -> None:
    message = user("what is ", PICTURE, "this ?")
    assert message.text == "what is  this ?"
    assert message.images == (PICTURE,)


def test_media_are_found_by_kind_and_in_order() -> None:
    clip = Video(np.zeros((2, 2, 2, 3), np.uint8), 8)
    sound = Audio(np.zeros(10, np.float32), 16000)
    message = user(sound, "text", PICTURE, clip)
    assert message.media == (sound, PICTURE, clip)
    assert (message.images, message.videos, message.sounds) == ((PICTURE,), (clip,), (sound,))
    assert [medium.modality for medium in message.media] == ["audio", "image", "video"]


def test_messages_compare_by_value() -> None:
    assert user("a", PICTURE) == user("a", Image(PICTURE.pixels.copy()))
    assert user("a") != assistant("a")


def test_a_path_is_no_part() -> None:
    with pytest.raises(ValueError, match=r"Image\.open"):
        user(b"picture.png")  # type: ignore[arg-type]


def test_a_request_ends_with_the_user() -> None:
    with pytest.raises(ValueError, match="ends with a message of the user"):
        Request((user("hello"), assistant("hello")))
    with pytest.raises(ValueError, match="ends with a message of the user"):
        Request(())


@given(st.text(), st.integers(0, 10))
def test_seeds_are_stable_and_fit(sample_id: str, base: int) -> None:
    seed = seed_of(sample_id, base)
    assert 0 <= seed < 2**31
    assert seed == seed_of(sample_id, base)


def test_seeds_never_move() -> None:
    assert seed_of("toyworld/vqa/17") == 16617043
