"""The embedding of a trained network: any model of faces, or a timm backbone.

A model artifact sees the faces through the extractor it was trained with, as its header says. A timm backbone sees RGB
crops, normalised as it was trained; it needs the extra: pip install 'emocli[train]'.

Options:
    model: a model artifact's file or sha256:…, or timm/NAME such as timm/resnet18
    pretrained: load the timm backbone's published weights, downloaded on first use; else random ones
    seed: of the random weights
    size: height and width of the timm backbone's crop in pixels; 0 is what it was trained with
    eye_distance: pixels between the eyes of an aligned face, for timm; 0 is 0.38 of the size, as in FER2013
    margin: room on each side of an unaligned box, as a part of its longer side, for timm
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import onnx_file, registry, shipped, store
from emocli.errors import EmoError
from emocli.features._crop import cropper
from emocli.image.faces import FaceImage

# bounds the memory that activations take
_BATCH = 64

Extractor = Callable[[Sequence[FaceImage]], NDArray[Any]]


def extractor(
    *,
    model: str = "",
    pretrained: bool = True,
    seed: int = 0,
    size: int = 0,
    eye_distance: float = 0.0,
    margin: float = 0.0,
) -> Callable[[Sequence[FaceImage]], NDArray[np.float32]]:
    """Return the function from n faces to (n, d) float32; raises EmoError when the model can't be had or gives none."""
    if not model:
        raise EmoError("deep needs a network: -p model=FILE (a model artifact) or -p model=timm/resnet18")
    if model.startswith("timm/"):
        prepare, embed = _timm(model.removeprefix("timm/"), pretrained, seed, size, eye_distance, margin)
    else:
        prepare, embed = _artifact(store.named(shipped.named(model) or model))

    def extract(faces: Sequence[FaceImage]) -> NDArray[np.float32]:
        starts = range(0, len(faces), _BATCH)
        parts = [embed(prepare(faces[start : start + _BATCH])) for start in starts]
        return np.concatenate(parts).astype(np.float32, copy=False)

    return extract


def _artifact(path: Path) -> tuple[Extractor, Callable[[NDArray[Any]], NDArray[np.float32]]]:
    if not path.is_file():
        raise EmoError(f"no model {path}; give a model artifact, its sha256:… in the store, or timm/NAME")
    step = onnx_file.read_header(path).step("features")
    if step is None or "params" not in step or "+" in step["name"]:
        raise EmoError(f"{path} does not say how it sees a face by one extractor; deep needs a model that emo trained")
    if registry.describe("features", step["name"]).modality != "face":
        raise EmoError(f"{path} hears voices and deep describes faces; give a model of faces, or timm/NAME")
    prepare = registry.load("features", step["name"])(**step["params"])
    engine = registry.load("engines", "onnxruntime")(path)

    def embed(x: NDArray[Any]) -> NDArray[np.float32]:
        outputs: dict[str, NDArray[np.float32]] = engine.run(x)
        if "embedding" not in outputs:
            raise EmoError(f"{path} has no embedding output; train it with this version of emo, or use timm/NAME")
        return outputs["embedding"]

    return prepare, embed


def _timm(
    name: str, pretrained: bool, seed: int, size: int, eye_distance: float, margin: float
) -> tuple[Extractor, Callable[[NDArray[Any]], NDArray[np.float32]]]:
    import timm
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = _backbone(timm, name, pretrained)
    about = net.pretrained_cfg
    mean, std = (torch.tensor(about[key]).view(3, 1, 1) for key in ("mean", "std"))

    def embed(x: NDArray[Any]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(net((torch.from_numpy(x).float() / 255 - mean) / std))

    return cropper(size=size or about["input_size"][1], channels=3, eye_distance=eye_distance, margin=margin), embed


def _backbone(timm: Any, name: str, pretrained: bool) -> Any:
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0).eval()
    except Exception as fault:
        # timm and its hub client raise whatever their own dependencies raise
        why = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
        raise EmoError(f"timm can't give {name} ({why}); check name and network, or set pretrained=false") from fault
