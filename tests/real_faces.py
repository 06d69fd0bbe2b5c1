"""Real pictures with faces and the detectors' published networks, where they are at hand beside the project."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import SHARED
from numpy.typing import NDArray

NETWORKS = {
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "det_500m.onnx": "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a",
}


def network(name: str) -> Path:
    """Return a network's file; skips the test where there is none."""
    return _at_hand(SHARED / "models" / name)


def keep_networks(home: Path) -> Path:
    """Put the networks where a download would have left them in the store `home`."""
    (home / "downloads").mkdir(parents=True, exist_ok=True)
    for name, sha256 in NETWORKS.items():
        shutil.copyfile(network(name), home / "downloads" / sha256)
    return home


def picture(name: str) -> NDArray[np.uint8]:
    """Return a picture of the shared data, (h, w, 3) RGB."""
    return np.ascontiguousarray(cv2.imread(str(_at_hand(SHARED / "video" / name)))[..., ::-1], np.uint8)


def _at_hand(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the project (../shared/data)")
    return path
