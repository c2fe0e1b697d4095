"""How the processor's threads wait for one another: asleep, so that a machine that others use too is shared.

OpenMP's threads, on which torch computes, wait for each other by spinning, hundreds of times for each answer
of a small network. On an idle machine that saves a little; beside one busy process the thread that they wait
for has to wait for a core that they themselves keep busy, and 13 seconds become 60 and more.
"""

from __future__ import annotations

import os

_CHOICES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def wait_asleep() -> None:
    """Have threads sleep while they wait, unless the environment says how they shall.

    A program calls it when it starts: OpenMP looks once, when torch is read. What the program starts itself
    waits so too. A thread alone (``OMP_NUM_THREADS=1``) waits for nobody.

    Example:
        >>> wait_asleep()
        >>> any(os.environ.get(name) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"))
        True
    """
    if not any(os.environ.get(name) for name in _CHOICES):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
