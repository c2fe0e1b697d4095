"""Makes the pictures of the documentation, by the commands that stand beside each of them.

    python docs/pictures.py             # all of them; the first takes long
    python docs/pictures.py sheet.png

Needs the project installed, and Chromium. No picture here is drawn or cut by hand.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Picture:
    """A page as a browser shows it.

    Attributes:
        name: the file in docs/.
        commands: what makes the page, in an empty folder; ``{limit}`` is where a test asks for few samples.
        page: the page that they leave.
        width, height: of the window, in pixels.
    """

    name: str
    commands: tuple[str, ...]
    page: str
    width: int
    height: int


PICTURES = (
    Picture(
        "comparison.png",
        (
            "nextgpt-bench job bench --out runs {limit}",
            "nextgpt-report compare runs",
        ),
        "runs/comparison.html",
        1040,
        1320,
    ),
    Picture(
        "changes.png",
        (
            "nextgpt-bench init",
            "pytest tests/test_quality.py --update-expected",
            "sed -i 's/return str(a + b)/return str((a + b) % 10)/' quality_benchmark.py",
            "pytest tests/test_quality.py --bench-runs now || true",
            "nextgpt-report changes now --expected tests/expected --benchmark quality_benchmark:SUMS",
        ),
        "now/changes.html",
        1040,
        760,
    ),
    Picture(
        "sheet.png",
        (
            "nextgpt-bench run --benchmark toy-text-to-image --limit 6",
            "nextgpt-report sheets runs --design pairwise --raters 3 --items 6 --out study",
        ),
        "study/raters/rater-1/sheet.html",
        1040,
        580,
    ),
)


def make(picture: Picture, folder: Path, limit: str = "") -> None:
    """Run what a picture shows.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    for command in picture.commands:
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.format(limit=limit)], cwd=folder, check=True
        )


def take(picture: Picture, folder: Path, out: Path) -> Path:
    """Show the page to a browser and keep what it sees.

    Raises:
        FileNotFoundError: there is no browser.
        subprocess.CalledProcessError: it failed.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise FileNotFoundError(f"none of {', '.join(BROWSERS)} is here; install Chromium")
    path = out / picture.name
    window = [
        f"--window-size={picture.width},{picture.height}",
        "--hide-scrollbars",
        "--force-color-profile=srgb",
    ]
    page = (folder / picture.page).resolve().as_uri()
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", *window, f"--screenshot={path}", page]
    subprocess.run(command, check=True, capture_output=True)
    return path


def main() -> None:
    """Make the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [picture.name for picture in PICTURES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; by default all")
    wanted = parser.parse_args().names
    if unknown := set(wanted) - set(names):
        parser.error(f"no picture is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for picture in PICTURES:
        if picture.name in (wanted or names):
            with tempfile.TemporaryDirectory() as folder:
                make(picture, Path(folder))
                sys.stdout.write(f"{take(picture, Path(folder), DOCS)}\n")


if __name__ == "__main__":
    main()
