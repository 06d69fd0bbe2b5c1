"""An architecture as the user names it, timm's included: its options, and the net."""

import warnings
from collections.abc import Mapping
from typing import Any

from emocli import registry
from emocli.errors import EmoError

TIMM = "timm"
AUTO = "auto"


def resolve(arch: str, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name that a header records and all options; "timm/resnet18" is timm's model of that name."""
    folder, slash, inner = arch.partition("/")
    if folder == TIMM and (not inner or "name" in given):
        raise EmoError("a timm model is named after the slash, for example: --arch timm/resnet18")
    if slash and folder != TIMM:
        raise EmoError(f"no architecture {arch!r}; see: emo list models")
    options = registry.resolve("models", folder, given)
    return arch, {key: value for key, value in options.items() if key != "name" or folder != TIMM}


def default(shape: tuple[int, ...], modality: str = "speech") -> str:
    """Return the architecture for features of `shape` when none is named: images, sequences of frames or vectors.

    `modality` is what a sequence is of: words have a net of their own.
    """
    if shape[:1] == (-1,):
        return "text-cnn" if modality == "text" else "speech-resnet"
    return "se-resnet" if len(shape) == 3 else "mlp"


def build(arch: str, shape: tuple[int, ...], classes: int, params: Mapping[str, Any]) -> Any:
    """Return the torch module of a resolved name for features of `shape`; raises EmoError for what it can't take."""
    folder, _, inner = arch.partition("/")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Initializing zero-element")  # an empty layer is refused below
            net = registry.load("models", folder)(shape, classes, **params, **({"name": inner} if inner else {}))
        if not all(weight.numel() for weight in net.parameters()):
            raise ValueError("a layer would be empty")
        return net
    except (ValueError, RuntimeError, ZeroDivisionError, AssertionError) as fault:
        given = "".join(f" -p {key}={value}" for key, value in params.items())
        why = (str(fault) or type(fault).__name__).splitlines()[0]
        raise EmoError(f"no {arch} can be built{given and f' with{given}'}: {why}") from fault
