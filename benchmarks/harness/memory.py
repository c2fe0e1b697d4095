"""How much memory a run takes at its peak: the process's own, and that of the accelerator it computes on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Peak:
    """Bytes of memory at the highest; None where nobody tells.

    Attributes:
        host: of the process, what it held before included.
        device: allocated by torch on the accelerator; None where it computed on none.
    """

    host: int | None
    device: int | None


def forget_peak() -> bool:
    """Let the peaks begin anew from here, where the system can do that: Linux for the process, CUDA.

    Returns:
        Whether that of the process did; otherwise `peak` tells that of its whole life.
    """
    try:
        _FORGET.write_text("5")
        forgotten = True
    except OSError:
        forgotten = False
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()
    return forgotten


def peak() -> Peak:
    """The peaks since `forget_peak`; of the process on Linux alone.

    Example:
        >>> held = peak().host
        >>> held is None or held > 1_000_000
        True
    """
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        host = next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
    except (OSError, ValueError):
        host = None
    torch = sys.modules.get("torch")
    device = None
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        device = torch.cuda.max_memory_allocated()
    return Peak(host, device)
