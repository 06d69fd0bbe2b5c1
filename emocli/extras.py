"""Optional parts of the installation: which modules each extra brings and the line that adds it."""

from emocli.errors import EmoError

EXTRAS = {
    "train": ("torch", "torchvision", "timm", "onnxscript", "sklearn"),
    "tune": ("optuna", "sqlalchemy"),
    "tensorrt": ("tensorrt", "cuda"),
    "egemaps": ("opensmile",),
    "mic": ("sounddevice",),
}
AGAIN = "pip install --force-reinstall emocli"
"""The command that brings back what emo always has."""
_SYSTEM = {"cv2": " (Debian, Ubuntu: apt install libgl1 libglib2.0-0)"}
"""How to get what a module takes from the system."""


def missing(fault: ImportError) -> EmoError | None:
    """Return the error to show for an import that lacks an extra or a library of the system, else None."""
    module = (fault.name or "a library").split(".")[0]
    for line in str(fault).splitlines():
        if "shared object" in line:
            return EmoError(f"can't load {module}: {line.strip()}; {needs(module)}")
    for extra, modules in EXTRAS.items():
        if isinstance(fault, ModuleNotFoundError) and module in modules:
            return EmoError(f"this needs {module}, which is not installed; run: {pip_line(extra)}")
    return None


def needs(module: str) -> str:
    """Return what to do about a module that is installed and can't be loaded."""
    return f"install what it needs{_SYSTEM.get(module, '')}"


def pip_line(extra: str) -> str:
    """Return the command that adds an extra."""
    return f"pip install 'emocli[{extra}]'"
