"""Things in a picture: SSD MobileNet v2 by OpenCV, the eighty kinds that COCO has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.optional import fingerprint, package
from nextgpt.errors import ConfigError

VERSION = 1
LEAST = 0.4  # score from which a thing is believed
_SIDE = 300
_GRAPH, _TEXT = "frozen_inference_graph.pb", "ssd_mobilenet_v2_coco_2018_03_29.pbtxt"
# COCO's category numbers, which have gaps.
_NAMED = (
    "1 person|2 bicycle|3 car|4 motorcycle|5 airplane|6 bus|7 train|8 truck|9 boat|10 traffic light|"
    "11 fire hydrant|13 stop sign|14 parking meter|15 bench|16 bird|17 cat|18 dog|19 horse|20 sheep|"
    "21 cow|22 elephant|23 bear|24 zebra|25 giraffe|27 backpack|28 umbrella|31 handbag|32 tie|"
    "33 suitcase|34 frisbee|35 skis|36 snowboard|37 sports ball|38 kite|39 baseball bat|"
    "40 baseball glove|41 skateboard|42 surfboard|43 tennis racket|44 bottle|46 wine glass|47 cup|"
    "48 fork|49 knife|50 spoon|51 bowl|52 banana|53 apple|54 sandwich|55 orange|56 broccoli|57 carrot|"
    "58 hot dog|59 pizza|60 donut|61 cake|62 chair|63 couch|64 potted plant|65 bed|67 dining table|"
    "70 toilet|72 tv|73 laptop|74 mouse|75 remote|76 keyboard|77 cell phone|78 microwave|79 oven|"
    "80 toaster|81 sink|82 refrigerator|84 book|85 clock|86 vase|87 scissors|88 teddy bear|89 hair drier|"
    "90 toothbrush"
)
NAMES: Mapping[int, str] = {
    int(number): name for number, _, name in (entry.partition(" ") for entry in _NAMED.split("|"))
}


class Things:
    """A detector.

    Args:
        folder: ``packaged:detector``.

    Raises:
        ConfigError: OpenCV or a file is missing, or it is another detector.
    """

    def __init__(self, folder: Path) -> None:
        cv2 = package("cv2", "the detector")
        try:
            self._network = cv2.dnn.readNetFromTensorflow(str(folder / _GRAPH), str(folder / _TEXT))
        except cv2.error as error:
            reason = " ".join(str(error).split())[:160]
            raise ConfigError(f"{folder}: no detector that OpenCV reads: {reason}") from error
        self._cv2 = cv2
        self.fingerprint = fingerprint(VERSION, folder, LEAST)
        self._refuse_another(folder)

    def _refuse_another(self, folder: Path) -> None:
        shape = self._run(np.zeros((_SIDE, _SIDE, 3), np.uint8)).shape
        if len(shape) != 4 or shape[-1] != 7:
            raise ConfigError(
                f"{folder}: answers {list(shape)}; a detector of COCO's things whose rows are "
                "[0, class, score, left, top, right, bottom] was expected"
            )

    def _run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        blob = self._cv2.dnn.blobFromImage(pixels, size=(_SIDE, _SIDE))
        self._network.setInput(blob)
        found: NDArray[np.float32] = self._network.forward()
        return found

    def see(self, pixels: NDArray[np.uint8]) -> list[tuple[str, float]]:
        """Names and scores of the things in a picture uint8 ``[H, W, 3]``, the surest first.

        Raises:
            ConfigError: it names a class that COCO does not have.
        """
        rows = self._run(np.ascontiguousarray(pixels)).reshape(-1, 7)
        seen = [(int(row[1]), float(row[2])) for row in rows if row[2] >= LEAST]
        if strange := [number for number, _ in seen if number not in NAMES]:
            raise ConfigError(
                f"the detector names class {strange[0]}; COCO's 80, up to number 90, were expected"
            )
        return [(NAMES[number], score) for number, score in sorted(seen, key=lambda pair: -pair[1])]
