"""SCRFD-500M of InsightFace: finds faces and five landmarks, small ones too. Weights for non-commercial research only.

Guo et al. (ICLR 2022), det_500m.onnx of the buffalo_sc pack, downloaded on first use.
Run by ONNX Runtime on one thread; the boxes are those of insightface's own class.

Options:
    size: longer side of the picture as the network sees it, in pixels; 0 is as it is
    score: least confidence of a face, 0 to 1
    overlap: intersection over union above which two boxes are one face
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from emocli import download, onnx_session, store
from emocli.detectors import _network
from emocli.errors import EmoError
from emocli.image.faces import Face

_URL = "https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_sc.zip"
_ZIP_SHA256 = "57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72"
_MEMBER = "det_500m.onnx"
_SHA256 = "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a"
_ANCHORS = 2


def detector(*, size: int = 640, score: float = 0.5, overlap: float = 0.4) -> Callable[[NDArray[np.uint8]], list[Face]]:
    """Return the function from a picture, (h, w) gray or (h, w, 3) RGB uint8, to its faces, largest first."""
    _network.check(size, score, overlap)
    session = onnx_session.opened(str(_model()))

    def detect(pixels: NDArray[np.uint8]) -> list[Face]:
        frame, scale = _network.frame(pixels, size)
        blob = cv2.dnn.blobFromImage(frame, 1 / 128, mean=(127.5, 127.5, 127.5))
        levels = session.run(None, {"input.1": blob})
        kinds = [np.concatenate(levels[start : start + 3]) for start in (0, 3, 6)]
        return _decode(kinds, _network.places(*frame.shape[:2], _ANCHORS), score, scale, overlap)

    return detect


def _decode(
    kinds: list[NDArray[np.float32]], places: NDArray[np.float32], score: float, scale: float, overlap: float
) -> list[Face]:
    scores, sides, points = kinds
    chosen = np.flatnonzero(scores.ravel() >= score)
    if not len(chosen):
        return []
    place, stride = places[chosen, :2], places[chosen, 2:]
    # the network gives the distances to the left, top, right and bottom side
    reach = sides[chosen] * stride
    boxes = np.hstack([place - reach[:, :2], reach[:, :2] + reach[:, 2:]])
    landmarks = points[chosen] * stride + np.tile(place, 5)
    return _network.faces(boxes, scores.ravel()[chosen], landmarks, scale, overlap)


def _model() -> Path:
    """Return the network's file, taken out of the published zip on first use and checked."""
    place = store.folder("downloads") / _SHA256
    if not place.exists():
        with zipfile.ZipFile(download.fetch(_URL, _ZIP_SHA256)) as pack:
            # read, not extracted: a member's name can't lead anywhere
            scratch = store.spool()
            scratch.write_bytes(next(pack.read(name) for name in pack.namelist() if Path(name).name == _MEMBER))
            scratch.replace(place)
    if (found := store.file_digest(place)) != f"sha256:{_SHA256}":
        raise EmoError(f"{place} is not {_MEMBER} (it is {found}); delete it, or put the right file there")
    return place
