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


def findings() -> Iterator[Finding]:
    """Yield one record per check: check, status (ok, absent or problem), detail, and what to do about it."""
    yield _finding("python", "ok", sys.version.split()[0])
    yield from map(_extra, extras.EXTRAS)
    yield from _torch_versions()
    yield from _providers()
    yield from map(detector, ("yunet", "silero"))
    yield from _cameras()
    yield _microphone()
    yield _disk()


def _finding(check: str, status: str, detail: str, action: str = "") -> Finding:
    return {"check": check, "status": status, "detail": detail, "do": action}


def _extra(extra: str) -> Finding:
    absent = [module for module in extras.EXTRAS[extra] if importlib.util.find_spec(module) is None]
    if absent:
        return _finding(f"extra {extra}", "absent", f"no {', '.join(absent)}", extras.pip_line(extra))
    return _finding(f"extra {extra}", "ok", ", ".join(extras.EXTRAS[extra]))


def _torch_versions() -> Iterator[Finding]:
    """torchvision, which timm imports, refuses a torch of another CUDA build, and says so with a traceback only."""
    try:
        torch, vision = (importlib.metadata.version(name) for name in ("torch", "torchvision"))
    except importlib.metadata.PackageNotFoundError:
        return
    same = torch.partition("+")[2] == vision.partition("+")[2]
    action = "" if same else "pip install 'torch==2.11.*' 'torchvision==0.26.*'"
    yield _finding("torch and torchvision", "ok" if same else "problem", f"{torch} and {vision}", action)
    built, _, works = _ask("import torch; print(torch.version.cuda, torch.cuda.is_available())").strip().partition(" ")
    if built in ("", "None"):
        yield _finding("torch cuda", "absent", "torch is built without CUDA: training runs on the CPU")
    elif works == "True":
        yield _finding("torch cuda", "ok", f"CUDA {built}")
    else:
        yield _finding("torch cuda", "absent", f"built for CUDA {built}, no usable GPU: training runs on the CPU")


def _providers() -> Iterator[Finding]:
    """A provider that is listed may still not load: each is given a model and asked what really runs it."""
    import onnxruntime

    for provider in onnxruntime.get_available_providers():
        running = _ask(_PROBE, provider)
        loads = provider in running
        detail = "loads" if loads else "listed, but does not load here"
        yield _finding(
            f"provider {provider}", "ok" if loads else "problem", detail, "" if loads else "use another provider"
        )


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


def _microphone() -> Finding:
    found = _ask("import sounddevice; print(sounddevice.query_devices(kind='input')['name'])").strip()
    recorder = next((name for name in ("parec", "arecord") if shutil.which(name)), "")
    if found or recorder:
        return _finding("microphone", "ok", found or f"through {recorder}")
    return _finding(
        "microphone", "absent", "none, or nothing to record with", f"for emo live --mic: {extras.pip_line('mic')}"
    )


def _disk() -> Finding:
    home = store.home()
    place = next(path for path in (home, *home.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    status = "ok" if writable and free > _LOW_BYTES else "problem"
    action = "" if status == "ok" else "set EMO_HOME to a folder with room that you can write"
    return _finding("store", status, f"{home}: {free / 1e9:.0f} GB free{'' if writable else ', not writable'}", action)


def _ask(program: str, *arguments: str) -> str:
    """Return what a short program prints in a process of its own: a broken library may crash or print."""
    call = [sys.executable, "-P", "-c", program, *arguments]
    try:
        return subprocess.run(call, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False).stdout
    except subprocess.TimeoutExpired:  # a library that waits for a device for ever
        return ""


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
