"""`python -m nextgpt`, and what `accelerate launch -m nextgpt` starts in every process."""

from __future__ import annotations

from nextgpt.cli import main

if __name__ == "__main__":
    main()
