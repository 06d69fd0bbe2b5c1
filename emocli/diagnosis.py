"""What this installation can do: extras, providers that really load, versions that fit, camera, disk."""

import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emocli import download, extras, store

Finding = dict[str, Any]
_PATIENCE_SECONDS = 120
"""How long a probe may take."""
_LOW_BYTES = 2 << 30
_TORCH = "pip install 'torch==2.11.*' 'torchvision==0.26.*'"
_LIBRARIES = ("cv2", "onnxruntime", "h5py", "soundfile", "av")
"""What is always installed, and takes libraries of the system."""


def findings() -> Iterator[Finding]:
    """Yield one record per check: check, status (ok, absent or problem), detail, and what to do about it."""
    yield _finding("python", "ok", sys.version.split()[0])
    yield from map(_library, _LIBRARIES)
    yield from map(_extra, extras.EXTRAS)
    checks = {
        "torch": _torch,
        "providers": _providers,
        "detectors": _detectors,
        "camera": _cameras,
        "microphone": _microphone,
        "store": _disk,
    }
    for name, check in checks.items():
        try:
            yield from check()
        except Exception as fault:  # whatever a broken library raises, the other checks are made
            yield _finding(name, "problem", _last(str(fault)) or type(fault).__name__, "mend what this says first")


def _finding(check: str, status: str, detail: str, action: str = "") -> Finding:
    return {"check": check, "status": status, "detail": detail, "do": action}


def _library(module: str) -> Finding:
    version, why = _ask(f"import {module}; print({module}.__version__)")
    if version:
        return _finding(f"library {module}", "ok", version)
    absent = "ModuleNotFoundError" in why
    return _finding(f"library {module}", "problem", why, extras.AGAIN if absent else extras.needs(module))


def _extra(extra: str) -> Finding:
    absent = [module for module in extras.EXTRAS[extra] if importlib.util.find_spec(module) is None]
    if absent:
        return _finding(f"extra {extra}", "absent", f"no {', '.join(absent)}", extras.pip_line(extra))
    return _finding(f"extra {extra}", "ok", ", ".join(extras.EXTRAS[extra]))


def _torch() -> Iterator[Finding]:
    """torchvision, which timm imports, refuses a torch of another CUDA build, and says so with a traceback only."""
    try:
        torch, vision = (importlib.metadata.version(name) for name in ("torch", "torchvision"))
    except importlib.metadata.PackageNotFoundError:
        return
    same = torch.partition("+")[2] == vision.partition("+")[2]
    action = "" if same else _TORCH
    yield _finding("torch and torchvision", "ok" if same else "problem", f"{torch} and {vision}", action)
    said, why = _ask("import torch; print(torch.version.cuda, torch.cuda.is_available())")
    built, _, works = said.partition(" ")
    if not said:
        yield _finding("torch cuda", "problem", f"torch does not load: {why}", f"install it anew: {_TORCH}")
    elif built == "None":
        yield _finding("torch cuda", "absent", "torch is built without CUDA: training runs on the CPU")
    elif works == "True":
        yield _finding("torch cuda", "ok", f"CUDA {built}")
    else:
        yield _finding("torch cuda", "absent", f"built for CUDA {built}, no usable GPU: training runs on the CPU")


def _providers() -> Iterator[Finding]:
    """A provider that is listed may still not load: each is given a model and asked what really runs it."""
    import onnxruntime

    for provider in onnxruntime.get_available_providers():
        running, _ = _ask(_PROBE, provider)
        loads = provider in running
        detail = "loads" if loads else "listed, but does not load here"
        yield _finding(
            f"provider {provider}", "ok" if loads else "problem", detail, "" if loads else "use another provider"
        )


def _detectors() -> Iterator[Finding]:
    yield from map(detector, ("yunet", "silero"))


def detector(name: str) -> Finding:
    """A detector that is downloaded with its first use: a machine without a network has to be given it."""
    network: Any = importlib.import_module(f"emocli.detectors.{name}")
    place = download.place(network.SHA256)
    if place.exists():
        return _finding(f"detector {name}", "ok", str(place))
    action = f"comes with its first use; without a network, put {network.URL} there by hand"
    return _finding(f"detector {name}", "absent", f"not yet at {place}", action)


def _cameras() -> Iterator[Finding]:
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        yield _finding("camera", "absent", "no /dev/video*", "plug one in, or use: emo live --source FILE")
    for device in devices:
        readable = os.access(device, os.R_OK | os.W_OK)
        action = "" if readable else "add yourself to the group video"
        yield _finding(f"camera {device.name}", "ok" if readable else "problem", str(device), action)


def _microphone() -> Iterator[Finding]:
    found, _ = _ask("import sounddevice; print(sounddevice.query_devices(kind='input')['name'])")
    recorder = next((name for name in ("parec", "arecord") if shutil.which(name)), "")
    if found or recorder:
        yield _finding("microphone", "ok", found or f"through {recorder}")
    else:
        action = f"for emo live --mic: {extras.pip_line('mic')}"
        yield _finding("microphone", "absent", "none, or nothing to record with", action)


def _disk() -> Iterator[Finding]:
    home = store.home()
    place = next(path for path in (home, *home.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    status = "ok" if writable and free > _LOW_BYTES else "problem"
    action = "" if status == "ok" else "set EMO_HOME to a folder with room that you can write"
    yield _finding("store", status, f"{home}: {free / 1e9:.0f} GB free{'' if writable else ', not writable'}", action)


def _ask(program: str, *arguments: str) -> tuple[str, str]:
    """Return what a short program prints in a process of its own, as a broken library may crash, and what it says last.

    Where it prints nothing the second says why.
    """
    call = [sys.executable, "-P", "-c", program, *arguments]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:  # a library that waits for a device for ever
        return "", f"no answer within {_PATIENCE_SECONDS} seconds"
    return done.stdout.strip(), _last(done.stderr) or f"ended with status {done.returncode}"


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2]


_PROBE = """
import sys, numpy, onnx, onnxruntime
from onnx import helper
value = [helper.make_tensor_value_info(name, 1, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", value[:1], value[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=[sys.argv[1]])
session.run(None, {"x": numpy.ones(1, "float32")})
print(session.get_providers())
"""
