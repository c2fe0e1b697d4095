"""The client against a real server on loopback, with a real, tiny model behind it; see `served`."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines import huggingface
from baselines.endpoint import KEY
from baselines.openai_compatible import OpenAICompatible, load
from benchmarks.harness.system import System
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant, user
from tests.baselines import tiny_models
from tests.baselines.served import Server, serving

SECRET = "sk-loopback-0123456789"
IMAGE, TEXT = frozenset[Modality]({"image"}), frozenset[Modality]({"text"})


def picture(seed: int = 0) -> Image:
    return Image(np.random.default_rng(seed).integers(0, 255, (20, 24, 3), dtype=np.uint8))


def sound() -> Audio:
    samples = 0.5 * np.sin(np.arange(16000, dtype=np.float32) / 5)
    return Audio((np.rint(samples * 32767) / 32767).astype(np.float32), 16000)


def asking(count: int = 1) -> list[Request]:
    return [Request((user(picture(k), "what is this?"),), seed=k) for k in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.build("llava", tmp_path_factory.mktemp("models") / "llava")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Server]:
    with serving(folder) as server:
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    running.faults, running.seen, running.times, running.most = [], [], [], 0
    running.models = ["served"]
    monkeypatch.delenv(KEY, raising=False)
    monkeypatch.setattr("baselines.endpoint._FIRST_WAIT", 0.02)
    return running


def client(server: Server, options: str = "timeout=20") -> OpenAICompatible:
    return load(f"{server.url}?max_tokens=8&{options}")


def one(server: Server, fault: str = "", options: str = "timeout=20", **request: Any) -> Message | Failure:
    server.faults = [fault] if fault else []
    (answer,) = client(server, options).respond([Request((user(picture(), "what?"),), **request)])
    return answer


def failure(answer: Message | Failure) -> Failure:
    assert isinstance(answer, Failure), answer
    return answer


def texts(answers: list[Message | Failure]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Message)]


# --- all is well -------------------------------------------------------------------------------------


def test_endpoint_answers_as_its_model_does_here(server: Server, folder: Path) -> None:
    asked = [*asking(4), Request((user("hello"), assistant("well"), user("a red circle")))]
    remote, local = client(server), huggingface.load(f"{folder}?max_new_tokens=8")
    assert isinstance(remote, System)
    assert texts(remote.respond(asked)) == texts(local.respond(asked))
    assert remote.name == "openai-served"


def test_sounds_travel_inside_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)
    folder = tiny_models.build("qwen2-audio", tmp_path / "qwen2-audio")
    asked = [Request((user(sound(), "what is this?"),))]
    with serving(folder) as hearing:
        heard = load(f"{hearing.url}?max_tokens=8").respond(asked)
    assert texts(heard) == texts(huggingface.load(f"{folder}?max_new_tokens=8").respond(asked)) != []


def test_clips_travel_as_video_files(server: Server) -> None:
    clip = Video(np.zeros((4, 16, 16, 3), np.uint8), 8)
    server.faults = ['json {"choices": [{"message": {"content": "nothing"}}]}']
    assert texts(client(server).respond([Request((user(clip, "what happens?"),))])) == ["nothing"]
    url = server.seen[0][0]["messages"][0]["content"][0]["video_url"]["url"]
    head, _, data = url.partition(",")
    assert head == "data:video/mp4;base64"
    assert len(Video.decode(base64.b64decode(data), "sent.mp4").frames) == 4


def test_requests_run_side_by_side_and_answers_keep_their_order(server: Server) -> None:
    server.faults = ["meet"] * 12
    together = client(server, "concurrency=4&timeout=60").respond(asking(12))
    assert server.most == 4
    alone = client(server, "concurrency=1")
    assert texts(together) == [text for request in asking(12) for text in texts(alone.respond([request]))]


def test_tokens_and_cost_are_counted(server: Server) -> None:
    system = client(server, "price=1,2")
    answer = system.respond(asking(2))[0]
    assert isinstance(answer, Message)
    read, written = map(int, re.findall(r"\d+", dict(answer.steps)["tokens"]))
    assert (read, written) == (22, 8)
    assert dict(answer.steps)["cost"] == "0.000038 US dollars"
    assert str(system.spent) == (
        "2 answers, 0 requests sent again, 44 tokens read and 16 written, 0.000076 US dollars"
    )


def test_endpoint_that_tells_no_tokens_costs_what_nobody_knows(server: Server) -> None:
    server.faults = ['json {"choices": [{"message": {"content": "a cat"}}]}']
    system = client(server, "price=1,2")
    (answer,) = system.respond(asking())
    assert answer == assistant("a cat")
    assert str(system.spent).endswith("of 1 the endpoint told no tokens")


def test_it_is_asked_greedily_with_the_seed_of_the_sample(server: Server) -> None:
    client(server).respond([Request((user("hello"),), seed=7)])
    body, _ = server.seen[0]
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.0, 7, 8)
    assert body["messages"] == [{"role": "user", "content": "hello"}]


def test_pictures_come_back_from_endpoints_that_make_them(server: Server) -> None:
    url = f"data:image/png;base64,{base64.b64encode(picture(5).png()).decode()}"
    entry = {"type": "image_url", "image_url": {"url": url}}
    for message in (
        {"content": "here", "images": [entry]},
        {"content": [{"type": "text", "text": "here"}, entry]},
    ):
        fault = "json " + json.dumps({"choices": [{"message": message}]})
        answer = one(server, fault, "produces=text,image", wanted=IMAGE)
        assert answer == assistant("here", picture(5))
        assert server.seen[-1][0]["modalities"] == ["image"]
    said = failure(
        one(server, 'json {"choices": [{"message": {"content": "no"}}]}', "produces=image", wanted=IMAGE)
    )
    assert said.reason == "image was wanted, but the answer has none: no"


@pytest.mark.slow
def test_trained_model_answers_behind_an_endpoint_as_it_does_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY, raising=False)
    folder = tiny_models.smollm2(tmp_path / "smollm2")
    asked = [Request((user("What is the capital of France?"),))]
    with serving(folder) as trained:
        remote = texts(load(f"{trained.url}?max_tokens=24").respond(asked))
    assert remote == texts(huggingface.load(f"{folder}?max_new_tokens=24").respond(asked))
    assert "Paris" in remote[0]


# --- and what is not ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["429", "429 0", "500", "503", "half", "half-chunk", "hang-up"])
def test_what_may_fare_better_is_sent_again(server: Server, fault: str) -> None:
    server.faults = [fault, fault]
    system = client(server)
    (answer,) = system.respond(asking())
    assert isinstance(answer, Message)
    assert len(server.seen) == 3
    assert system.spent.again == 2


@pytest.mark.parametrize(
    ("fault", "words", "sent"),
    [
        ("500", "HTTP 500 Internal Server Error: status 500 (sent 3 times)", 3),
        ("429", "HTTP 429 Too Many Requests: status 429 (sent 3 times)", 3),
        ("400", "HTTP 400 Bad Request: status 400", 1),
        ("404", "HTTP 404 Not Found: status 404", 1),
        ("302", "HTTP 302 Found: status 302", 1),
        ("half", "the reply broke off after", 3),
        ("half-chunk", "the reply broke off after", 3),
        ("hang-up", "no reply: ", 3),
        ("html", "the reply is no JSON but text/html: <html><body>Welcome to the proxy", 1),
        ("stream", "a stream was sent, and none was asked for", 1),
        ("endless", "the reply is larger than 64 MiB", 1),
        ("json nonsense", "the reply is no JSON but application/json: nonsense", 1),
        ("json [1]", "the endpoint gave no choice: [1]", 1),
        ("json {}", "the endpoint gave no choice: {}", 1),
        ('json {"choices": []}', 'the endpoint gave no choice: {"choices": []}', 1),
        ('json {"choices": [{"text": "a"}]}', "the endpoint's choice has no message", 1),
        ('json {"choices": [{"message": {"content": ""}}]}', "the endpoint's answer is empty", 1),
        (
            'json {"choices": [{"message": {"content": null, "tool_calls": [1]}}]}',
            "calls a tool, and none",
            1,
        ),
        ('json {"choices": [{"message": {"content": null, "refusal": "never"}}]}', "refused: never", 1),
        ('json {"choices": [{"message": {"content": 7}}]}', "a part of no known form", 1),
        (
            'json {"choices": [{"message": {"content": [{"type": "image_url", "image_url": "http://x/y"}]}}]}',
            "names a medium in place of holding it: http://x/y",
            1,
        ),
        (
            'json {"choices": [{"message": {"content": [{"type": "image_url", "image_url": "data:,?"}]}}]}',
            "the answer's image is no base64",
            1,
        ),
        (
            'json {"choices": [{"message": {"content": null, "audio": {"data": "AAAA"}}}]}',
            "the answer's audio: not a sound in any known format",
            1,
        ),
        (
            'json {"choices": [{"message": {"content": "a"}}], "usage": {"completion_tokens": 10000}}',
            "the answer has 10,000 tokens; 8 tokens were asked for at most",
            1,
        ),
        (
            "json " + json.dumps({"choices": [{"message": {"content": "a " * 10_000}}]}),
            "the answer has 19,999 characters; 8 tokens were asked for at most",
            1,
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_answer_is_a_failure_that_says_so(
    server: Server, fault: str, words: str, sent: int
) -> None:
    system = client(server, "tries=3")
    server.faults = [fault] * 3
    found = failure(system.respond(asking())[0])
    assert words in found.reason
    assert "\n" not in found.reason
    assert len(server.seen) == sent


@pytest.mark.parametrize("fault", ["slow 30", "drip", "429 60"])
def test_one_request_takes_no_longer_than_its_timeout(server: Server, fault: str) -> None:
    server.faults = [fault] * 9
    begin = time.monotonic()
    found = failure(client(server, "timeout=0.5").respond(asking())[0])
    assert time.monotonic() - begin < 20  # what the server would take is 30 s and more
    assert "no reply within 0.5 s" in found.reason or "asks to wait 60 s" in found.reason


def test_one_bad_reply_spoils_no_other(server: Server) -> None:
    server.faults = ["html"]
    answers = client(server).respond(asking(6))
    assert sorted(type(answer).__name__ for answer in answers) == ["Failure"] + ["Message"] * 5


def test_all_requests_wait_where_the_server_limits_their_rate(server: Server) -> None:
    server.faults = ["429 1"]
    client(server, "concurrency=1").respond(asking(3))
    first, second = server.times[:2]
    assert second - first >= 1.0
    assert len(server.seen) == 4


def test_rate_limit_that_asks_for_waits_is_waited_out_beyond_the_tries(server: Server) -> None:
    server.faults = ["429 0"] * 6
    (answer,) = client(server, "tries=2").respond(asking())
    assert isinstance(answer, Message)


@pytest.mark.parametrize("fault", ["429 30", "slow 30"])
def test_interrupt_ends_what_waits_and_what_is_under_way(server: Server, fault: str) -> None:
    system = client(server, "concurrency=2&timeout=60&tries=50")
    server.faults = [fault] * 50
    begin = time.monotonic()
    threading.Timer(0.3, system._endpoint.stop).start()
    answers = system.respond(asking(4))
    assert time.monotonic() - begin < 20  # of 30 s and more
    assert all(isinstance(answer, Failure) for answer in answers)


def test_medium_that_it_is_not_to_be_shown_is_a_failure_and_is_not_sent(server: Server) -> None:
    found = failure(client(server, "accepts=text").respond(asking())[0])
    assert found == Failure("encode", "openai-served can't take image")
    assert server.seen == []


# --- the key ------------------------------------------------------------------------------------------


def test_key_comes_from_the_environment_and_is_in_no_answer_error_or_name(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = client(server).fingerprint
    monkeypatch.setenv(KEY, SECRET)
    system = client(server)
    assert system.fingerprint == without
    server.faults = ["echo", f'json {{"choices": [{{"message": {{"content": "it is {SECRET}"}}}}]}}']
    wrong, said = system.respond(asking(1)) + system.respond(asking(1))
    assert server.seen[0][1]["Authorization"] == f"Bearer {SECRET}"
    assert "Incorrect API key provided: ***" in failure(wrong).reason
    assert said == assistant("it is ***")
    assert SECRET not in repr((system.name, system.fingerprint, wrong, said, str(system.spent)))


def test_key_is_in_no_file_of_a_run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.cli import app

    monkeypatch.setenv(KEY, SECRET)
    server.faults = ["echo"]
    monkeypatch.setattr(sys, "argv", ["nextgpt-bench", "run"])
    words = ["run", "--benchmark", "toy-vqa", "--limit", "3", "--out", str(tmp_path)]
    app([*words, "--system", f"openai:{server.url}?max_tokens=8&price=1,2"], standalone_mode=False)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"run.json", "predictions.jsonl"}
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    lines = (tmp_path / "openai-served/toy-vqa/predictions.jsonl").read_text()
    assert "Incorrect API key provided: ***" in lines


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.example.org/v1", "would travel to api.example.org in the clear"),
        (f"https://me:{SECRET}@api.example.org/v1", f"put the key into {KEY}"),
        (f"https://api.example.org/v1?api_key={SECRET}", "there is no field 'api_key'"),
        ("api.example.org/v1", "begins with http:// or https://"),
        ("https://", "begins with http:// or https://"),
        ("http://[::1/v1", "begins with http:// or https://"),
        ("https://api.example.org/v1?max_tokens=0", "max_tokens: at least 1"),
        ("https://api.example.org/v1?concurrency=0", "at least 1"),
        ("https://api.example.org/v1?model=x&price=cheap", "two numbers"),
        ("https://api.example.org/v1?model=x&produces=smell", "produces: there are audio, image"),
    ],
)
def test_address_that_would_leak_or_is_wrong_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with pytest.raises(ConfigError) as caught:
        load(url)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_model_is_asked_for_where_there_are_several_or_none(server: Server) -> None:
    server.models = ["a", "b"]
    with pytest.raises(ConfigError, match="it lists a, b"):
        client(server)
    assert client(server, "model=b").name == "openai-b"
    server.models = []
    with pytest.raises(ConfigError, match="it lists none"):
        client(server)


def test_endpoint_that_is_not_there_is_told_by_its_address() -> None:
    with pytest.raises(ConfigError, match=r"http://127.0.0.1:9/v1: can't tell its models: no reply"):
        load("http://127.0.0.1:9")


def test_cost_is_told_when_a_run_ends(server: Server, tmp_path: Path) -> None:
    words = ["run", "--benchmark", "toy-vqa", "--limit", "3", "--out", str(tmp_path)]
    system = f"openai:{server.url}?max_tokens=8&price=1,2"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", *words, "--system", system],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 answers, 0 requests sent again" in done.stderr
    assert "US dollars" in done.stderr
