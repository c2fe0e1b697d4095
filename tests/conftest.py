"""What all tests share: no network, no races for cores, repeatable examples."""

from __future__ import annotations

import os
import signal
import threading

# Before anything imports a Hugging Face library: one look-up without a network takes half a minute to fail.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# One thread for each worker, and for a process that a test starts: sums then come out the same.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell or nohup starts in the background ignores these signals, and so would all that tests start.
if threading.current_thread() is threading.main_thread():
    for _number, _as_ever in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(_number) is signal.SIG_IGN:
            signal.signal(_number, _as_ever)

from hypothesis import HealthCheck, settings

# Time limits per example measure the machine, not the code. In CI the same examples come every time, so
# that a change is never blamed for an example that happened to be drawn; elsewhere they vary and search.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
