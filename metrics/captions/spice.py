"""SPICE 1.0 by the original program, where Stanford CoreNLP 3.6.0 is installed for it to parse with.

CoreNLP is half a gigabyte that no Python package brings, so SPICE is optional: `missing` says in a line
what to do, and everything else works without it.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from metrics.captions.java import LOCALE_FLAGS, JavaError, complaint, environment, jar, java
from metrics.metric import FloatArray

FOLDER_VARIABLE = "SPICE_CORENLP"
_CORENLP = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")
# SPICE's parser looks into Java's own classes, which Java 9 and newer allow only when told. This variable
# is read by those, and ignored by Java 8.
_OPENED = ("java.lang", "java.math", "java.net", "java.text", "java.util", "java.util.concurrent")
_OPTIONS = {"JDK_JAVA_OPTIONS": " ".join(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED)}


def missing() -> str | None:
    """What SPICE needs and does not find, in one line; None where it can run."""
    try:
        java()
        _class_path()
    except JavaError as error:
        return str(error)
    return None


def spice_scores(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> FloatArray:
    """SPICE of each tokenised caption against its references, [N], each in [0, 1].

    Raises:
        JavaError: Java, SPICE or CoreNLP is missing, or the program failed.
    """
    if not predictions:
        return np.empty(0)
    items = [
        {"image_id": number, "test": prediction, "refs": list(group)}
        for number, (prediction, group) in enumerate(zip(predictions, references, strict=True))
    ]
    with tempfile.TemporaryDirectory(prefix="spice-") as folder:
        source, result = Path(folder) / "captions.json", Path(folder) / "scores.json"
        source.write_text(json.dumps(items), encoding="utf-8")
        command = [java(), *LOCALE_FLAGS, "-Xmx8G", "-cp", _class_path(), "edu.anu.spice.SpiceScorer"]
        done = subprocess.run(
            [*command, source.name, "-out", result.name, "-silent"],
            cwd=folder,
            env={**environment(), **_OPTIONS},
            capture_output=True,
            check=False,
        )
        if done.returncode != 0 or not result.exists():
            raise JavaError(
                f"SPICE ended with status {done.returncode}{complaint(done.stderr)}; it needs 8 GB of memory"
            )
        answers = json.loads(result.read_text(encoding="utf-8"))
    # By id: the program's order is not promised, and pycocoevalcap attaches items to the wrong captions.
    scores = {int(answer["image_id"]): float(answer["scores"]["All"]["f"]) for answer in answers}
    if sorted(scores) != list(range(len(items))) or not all(map(math.isfinite, scores.values())):
        raise JavaError(
            f"SPICE answered {len(scores)} of {len(items)} captions with a score; please report them"
        )
    return np.array([scores[number] for number in range(len(items))])


def _class_path() -> str:
    """SPICE's jars and CoreNLP's, for Java's command line.

    Raises:
        JavaError: one of them is missing.
    """
    spice = jar("spice/spice-1.0.jar")
    chosen = os.environ.get(FOLDER_VARIABLE)
    folder = Path(chosen) if chosen else spice.parent / "lib"
    for name in _CORENLP:
        if not (folder / name).is_file():
            raise JavaError(
                f"SPICE needs {name}: unpack stanford-corenlp-full-2015-12-09.zip from nlp.stanford.edu "
                f"and set {FOLDER_VARIABLE} to its folder"
            )
    return os.pathsep.join(
        [str(spice), str(spice.parent / "lib" / "*"), *(str(folder / name) for name in _CORENLP)]
    )
