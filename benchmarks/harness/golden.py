"""Golden media: what a system draws is held by its distance to earlier drawings, against their own noise.

A threshold on pixels says nothing: another seed moves every pixel, and no meaning. So the line is made from
the same system at several seeds. The distance of two drawings of one sample, between the features of a
network, has a noise floor: how far drawings of different seeds lie apart. A run is held to it, sample by
sample: its drawing may lie no farther from the golden ones than they lie from one another, beyond doubt and
beyond a tenth of the floor. Sameness is never asked for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.columns import finite
from benchmarks.harness.expectations import AGAIN, ExpectationError
from benchmarks.harness.gate import Cell
from benchmarks.harness.records import Result, Run
from benchmarks.harness.storage import read_file, write_atomically
from nextgpt.media import Image
from nextgpt.messages import Failure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Features = NDArray[np.float32]

SEEDS = 4
TOLERATED = 0.1  # of the noise floor
LEAST = 1e-3  # cosine distance that rounding alone may cause, where a system draws without noise
ABSENT = 1.0  # cosine distance of what was not drawn: as far as of two that have nothing in common

_BATCH = 32


@dataclass(frozen=True)
class Golden:
    """Features of what a system drew for each sample, at several seeds.

    Attributes:
        about: benchmark, version, system and the extractor's signature; a run must share all.
        ids: the samples, [N].
        groups: what each is clustered in, [N].
        features: of unit length, float32 [K, N, D].
    """

    about: dict[str, Any]
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    features: Features

    @property
    def noise(self) -> NDArray[np.float64]:
        """How far a sample's drawings of different seeds lie apart on average, float64 [N]."""
        import numpy as np

        count = len(self.features)
        pairs = [(a, b) for a in range(count) for b in range(a)]
        apart = [_distance(self.features[a], self.features[b]) for a, b in pairs]
        return np.asarray(np.mean(apart, axis=0), dtype=np.float64)


def golden_of(runs: Sequence[Run], extractor: Any) -> Golden:
    """What runs of one system at several seeds make the golden media.

    A sample that has no drawing at some seed has no noise to be held against, and is left out.

    Raises:
        ExpectationError: fewer than two runs, or no sample with a drawing at every seed.
    """
    import numpy as np

    where = f"{runs[0].manifest.system} on {runs[0].manifest.benchmark}"
    if len({run.manifest.seed for run in runs}) < 2:
        raise ExpectationError(f"{where}: golden media need runs of at least two seeds, for their noise")
    found = [_features(run, extractor) for run in runs]
    groups = {score.sample: score.group for score in runs[0].scores}
    ids = tuple(sorted(set(groups).intersection(*found)))
    if not ids:
        raise ExpectationError(f"{where}: no sample has a picture at every seed; there is nothing to hold")
    features = np.stack([[each[sample] for sample in ids] for each in found])
    return Golden(_about(runs[0], extractor), ids, tuple(groups[sample] for sample in ids), features)


def measure_golden(run: Run, golden: Golden, extractor: Any) -> tuple[Result, Cell]:
    """How much farther a run's drawings lie from the golden ones than these from one another.

    Returns:
        The mean distance as a row of the summary, and the cell to judge: noise minus distance, so that a
        drop is a loss.

    Raises:
        ExpectationError: golden media of something else, or other samples.
    """
    import numpy as np

    from metrics.statistics import bootstrap, compare

    where = f"{run.manifest.system} on {run.manifest.benchmark}"
    about = _about(run, extractor)
    for name, then in golden.about.items():
        if about[name] != then:
            raise ExpectationError(
                f"{where}: the golden media are of {name} {then}, and this run of {about[name]}; {AGAIN}"
            )
    asked = {prediction.sample for prediction in run.predictions}
    places = [place for place, sample in enumerate(golden.ids) if sample in asked]
    if not places or (len(places) < len(golden.ids) and run.manifest.limit is None):
        raise ExpectationError(
            f"{where}: the run has other samples than the golden media of {len(golden.ids)}; {AGAIN}"
        )
    drawn = _features(run, extractor)
    distances = np.full(len(places), ABSENT)
    for row, place in enumerate(places):
        if golden.ids[place] in drawn:
            distances[row] = np.mean(_distance(golden.features[:, place], drawn[golden.ids[place]][None]))
    noise, groups = golden.noise[places], [golden.groups[place] for place in places]
    found = compare(noise, distances, groups)
    floor = float(noise.mean())
    value = bootstrap(distances, groups)
    result = Result(
        run.manifest.benchmark,
        run.manifest.system,
        "golden_distance",
        f"golden_distance|{extractor.signature}|seeds:{len(golden.features)}|v:1",
        value.value,
        value.low,
        value.high,
        value.n,
        len(places) - sum(golden.ids[place] in drawn for place in places),
        None,
        value.method,
        standard_error=finite(value.standard_error),
    )
    remark = f"noise over {len(golden.features)} seeds is {floor:.4f}, distance {value.value:.4f}"
    return result, Cell(found, max(LEAST, TOLERATED * floor), remark, rises=False)


def write_golden(golden: Golden, folder: Path) -> Path:
    """Write golden media's features beside the expectation; returns the file."""
    import numpy as np

    path = _path(golden.about["benchmark"], golden.about["system"], folder)
    buffer = io.BytesIO()
    about = json.dumps(golden.about, sort_keys=True)
    np.savez_compressed(
        buffer, about=about, ids=golden.ids, groups=golden.groups, features=golden.features.astype(np.float16)
    )
    write_atomically(path, buffer.getvalue())
    return path


def read_golden(benchmark: str, system: str, folder: Path) -> Golden:
    """Read the features of golden media.

    Raises:
        ExpectationError: there are none, or the file is damaged.
    """
    import zipfile

    import numpy as np

    path = _path(benchmark, system, folder)
    shown = f"{folder.name}/{benchmark}/{path.name}"
    if not path.exists():
        raise ExpectationError(
            f"{shown}: there are no golden media of {system} yet; look at what it draws, then run "
            "`pytest --update-expected`"
        )
    try:
        with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as kept:
            features = kept["features"].astype(np.float32)
            golden = Golden(
                json.loads(str(kept["about"])),
                tuple(kept["ids"].tolist()),
                tuple(kept["groups"].tolist()),
                features,
            )
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ExpectationError(f"{shown}: damaged ({' '.join(str(error).split())}); {AGAIN}") from error
    shape = (len(golden.ids), len(golden.groups))
    if features.ndim != 3 or shape != (features.shape[1],) * 2 or not np.isfinite(features).all():
        raise ExpectationError(f"{shown}: damaged (no features of each sample); {AGAIN}")
    # Half precision keeps lengths of 1 to three digits.
    return replace(golden, features=features / np.linalg.norm(features, axis=-1, keepdims=True))


def _path(benchmark: str, system: str, folder: Path) -> Path:
    return folder / benchmark / f"{system}.golden.npz"


def _about(run: Run, extractor: Any) -> dict[str, Any]:
    made = run.manifest
    return {
        "benchmark": made.benchmark,
        "version": made.version,
        "system": made.system,
        "extractor": extractor.signature,
    }


def _features(run: Run, extractor: Any) -> dict[str, Features]:
    """Features of unit length of each answer's first picture, by sample; what has none is not among them."""
    found: dict[str, Features] = {}
    waiting: dict[str, Any] = {}

    def compute() -> None:
        import numpy as np

        if waiting:
            features = np.asarray(extractor.features([*waiting.values()]), dtype=np.float32)
            lengths = np.linalg.norm(features, axis=1, keepdims=True)
            found.update(zip(waiting, features / np.maximum(lengths, 1e-12), strict=True))
            waiting.clear()

    for prediction in run.predictions:
        answer = prediction.answer
        parts = () if isinstance(answer, Failure) else answer.parts
        picture = next((part for part in parts if isinstance(part, Image)), None)
        if picture is not None:
            waiting[prediction.sample] = picture.pixels
        if len(waiting) == _BATCH:
            compute()
    compute()
    return found


def _distance(first: Features, second: Features) -> NDArray[np.float64]:
    """Cosine distance of features of unit length, along the last axis."""
    import numpy as np

    similar = np.sum(first.astype(np.float64) * second.astype(np.float64), axis=-1)
    return np.asarray(1.0 - similar, dtype=np.float64)
