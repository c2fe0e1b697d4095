"""A small server of OpenAI's chat completions on loopback, with a real model behind it and faults on demand.

It shares no code with the client: it reads messages by Pillow and soundfile, and answers by transformers.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast


class Server(ThreadingHTTPServer):
    """A model that is served.

    Attributes:
        faults: what is wrong with the next replies, one each; afterwards all is well.
        seen: bodies and headers of the requests, in the order of their coming.
        most: how many requests were under way at the same time.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        from transformers import AutoModelForCausalLM, AutoModelForMultimodalLM, AutoProcessor

        self.processor: Any = AutoProcessor.from_pretrained(folder)
        sees = hasattr(self.processor, "tokenizer")
        self.model = (AutoModelForMultimodalLM if sees else AutoModelForCausalLM).from_pretrained(folder)
        self.models = ["served"]
        self.faults: list[str] = []
        self.seen: list[tuple[dict[str, Any], dict[str, str]]] = []
        self.times: list[float] = []
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.meeting = threading.Barrier(4)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> tuple[str, int, int, str]:
        """Text, tokens read and written, and why it ended."""
        import torch

        turns, pictures, sounds = [], [], []
        for message in body["messages"]:
            content = message["content"]
            for part in content if isinstance(content, list) else []:
                if part["type"] == "image_url":
                    pictures.append(_picture(part["image_url"]["url"]))
                    part |= {"type": "image", "image": ""}
                elif part["type"] == "input_audio":
                    sounds.append(_sound(part["input_audio"]))
                    part |= {"type": "audio", "audio": ""}
            turns.append({"role": message["role"], "content": content})
        text = self.processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        media: dict[str, Any] = {"images": pictures or None, "audio": sounds or None}
        if sounds:
            media["sampling_rate"] = 16000
        given = {key: value for key, value in media.items() if value}
        inputs = self.processor(text=[text], add_special_tokens=False, return_tensors="pt", **given)
        inputs.pop("token_type_ids", None)
        with self.lock, torch.inference_mode():
            made = self.model.generate(**inputs, do_sample=False, max_new_tokens=body["max_tokens"])
        ids = made[0, inputs["input_ids"].shape[1] :].tolist()
        words = getattr(self.processor, "tokenizer", self.processor)
        why = "stop" if 3 in ids else "length"
        return words.decode(ids, skip_special_tokens=True), inputs["input_ids"].shape[1], len(ids), why


def _picture(url: str) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")


def _sound(part: dict[str, str]) -> Any:
    import soundfile

    assert part["format"] == "wav"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(part["data"])), dtype="float32")
    assert rate == 16000
    return samples


class Handler(BaseHTTPRequestHandler):
    """What the server says, and how it breaks."""

    protocol_version = "HTTP/1.1"
    under_way = False

    def log_message(self, *_: object) -> None:
        pass

    @property
    def ours(self) -> Server:
        return cast(Server, self.server)

    def do_GET(self) -> None:
        self.reply(200, {"object": "list", "data": [{"id": name} for name in self.ours.models]})

    def do_POST(self) -> None:
        server = self.ours
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.seen.append((json.loads(json.dumps(body)), dict(self.headers)))
            server.times.append(time.monotonic())
            server.now += 1
            self.under_way = True
            server.most = max(server.most, server.now)
            fault = server.faults.pop(0) if server.faults else ""
        try:
            self.break_(fault, body) if fault else self.reply(200, self.whole(body))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has gone
        finally:
            self.end()

    def end(self) -> None:
        """No longer under way: said before the reply is whole, or the next request could come first."""
        with self.ours.lock:
            self.ours.now -= self.under_way
            self.under_way = False

    def whole(self, body: dict[str, Any]) -> dict[str, Any]:
        text, read, written, why = self.ours.answer(body)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": why}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }

    def reply(self, status: int, body: Any, kind: str = "application/json", **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.end()
        self.wfile.write(data)

    def break_(self, fault: str, body: dict[str, Any]) -> None:
        name, _, more = fault.partition(" ")
        if name.isdigit():
            headers = {"Retry_After": more} if more else {}
            self.reply(int(name), {"error": {"message": f"status {name}", "type": "fault"}}, **headers)
        else:
            getattr(self, f"with_{name.replace('-', '_')}")(more, body)

    def with_json(self, more: str, _: Any) -> None:
        self.reply(200, more.encode())

    def with_html(self, _: str, __: Any) -> None:
        self.reply(200, b"<html><body>Welcome to the proxy</body></html>", "text/html")

    def with_stream(self, _: str, __: Any) -> None:
        self.reply(200, b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', "text/event-stream")

    def with_echo(self, _: str, __: Any) -> None:
        """The key that came with the request, as some servers do."""
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.reply(401, {"error": {"message": f"Incorrect API key provided: {key}"}})

    def with_hang_up(self, _: str, __: Any) -> None:
        self.close_connection = True

    def with_slow(self, more: str, body: Any) -> None:
        time.sleep(float(more))
        self.reply(200, self.whole(body))

    def with_meet(self, _: str, body: Any) -> None:
        """Answers four requests when all four have come, and not before."""
        self.ours.meeting.wait(timeout=60)
        self.reply(200, self.whole(body))

    def begin(self, **headers: str) -> None:
        """A reply that will break off."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def with_half(self, _: str, body: Any) -> None:
        data = json.dumps(self.whole(body)).encode()
        self.begin(Content_Length=str(len(data)))
        self.wfile.write(data[: len(data) // 2])

    def with_half_chunk(self, _: str, __: Any) -> None:
        self.begin(Transfer_Encoding="chunked")
        self.wfile.write(b'40\r\n{"choices": [{"mess')

    def with_drip(self, _: str, __: Any) -> None:
        self.begin(Content_Length="1000000")
        for _byte in range(600):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def with_endless(self, _: str, __: Any) -> None:
        self.begin()
        for _block in range(200):
            self.wfile.write(b" " * 2**20)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """The model in a folder, served for as long as the context lasts."""
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
