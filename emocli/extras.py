"""Optional parts of the installation: which modules each extra brings and the line that adds it."""

from emocli.errors import EmoError

EXTRAS = {
    "train": ("torch", "torchvision", "timm", "onnxscript", "sklearn"),
    "tune": ("optuna", "sqlalchemy"),
    "tensorrt": ("tensorrt", "cuda"),
    "egemaps": ("opensmile",),
    "mic": ("sounddevice",),
}


def missing(fault: ModuleNotFoundError) -> EmoError | None:
    """Return the error to show for an import that failed for want of an extra; None if it is no extra's module."""
    module = (fault.name or "").split(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return EmoError(f"this needs {module}, which is not installed; run: {pip_line(extra)}")
    return None


def pip_line(extra: str) -> str:
    """Return the command that adds an extra."""
    return f"pip install 'emocli[{extra}]'"
