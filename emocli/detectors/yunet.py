"""YuNet: a small network that finds faces and five landmarks; what auto takes.

Wu, Peng, Yu (Machine Intelligence Research 2023), the 2023mar weights of OpenCV's zoo (MIT), downloaded on first use.
Run by ONNX Runtime on one thread; the boxes are those of cv2.FaceDetectorYN.

Options:
    size: longer side of the picture as the network sees it, in pixels; 0 is as it is
    score: least confidence of a face, 0 to 1
    overlap: intersection over union above which two boxes are one face
"""

from collections.abc import Callable

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from emocli import download, onnx_session
from emocli.detectors import _network
from emocli.image.faces import Face

URL = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/"
    "models/face_detection_yunet/face_detection_yunet_2023mar.onnx"
)
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


def detector(*, size: int = 320, score: float = 0.6, overlap: float = 0.3) -> Callable[[NDArray[np.uint8]], list[Face]]:
    """Return the function from a picture, (h, w) gray or (h, w, 3) RGB uint8, to its faces, largest first."""
    _network.check(size, score, overlap)
    session = onnx_session.opened(_any_size(download.fetch(URL, SHA256).read_bytes()))
    outputs = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _network.STRIDES]

    def detect(pixels: NDArray[np.uint8]) -> list[Face]:
        frame, scale = _network.frame(pixels, size)
        blob = cv2.dnn.blobFromImage(frame, swapRB=True)
        levels = session.run(outputs, {"input": blob})
        kinds = [np.concatenate(levels[start : start + 3], axis=1)[0] for start in (0, 3, 6, 9)]
        return _decode(kinds, _network.places(*frame.shape[:2], 1), score, scale, overlap)

    return detect


def _decode(
    kinds: list[NDArray[np.float32]], places: NDArray[np.float32], score: float, scale: float, overlap: float
) -> list[Face]:
    classes, objects, boxes, points = kinds
    scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1)).ravel()
    chosen = np.flatnonzero(scores >= score)
    if not len(chosen):
        return []
    place, stride = places[chosen, :2], places[chosen, 2:]
    centre, sides = boxes[chosen, :2] * stride + place, np.exp(boxes[chosen, 2:]) * stride
    landmarks = points[chosen] * stride + np.tile(place, 5)
    return _network.faces(np.hstack([centre - sides / 2, sides]), scores[chosen], landmarks, scale, overlap)


def _any_size(model: bytes) -> bytes:
    """Return the network without the one picture size that its file names: it is convolutional."""
    proto = onnx.load_from_string(model)
    for axis, name in ((2, "height"), (3, "width")):
        proto.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    for output in proto.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"places_{output.name}"
    del proto.graph.value_info[:]
    return bytes(proto.SerializeToString())
