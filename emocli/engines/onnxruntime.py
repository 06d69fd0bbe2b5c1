"""ONNX Runtime on the processor, or on a GPU where its CUDA provider really loads.

Options:
    threads: threads that share one run; 0 is one per core
    spin: whether these threads keep their cores busy until the next run, which then begins at once; no where something
        else wants the cores in between
    provider: cpu, cuda or another that the installed onnxruntime has; auto is cuda if it loads and cpu otherwise
    carry: whether recurrent layers go on from the state they ended the run before with, for one sequence in pieces
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from emocli import onnx_file, onnx_interface, onnx_session
from emocli.engines import _arranged, _carry, _plan
from emocli.engines._carry import States
from emocli.engines._engine import CarryingEngine, check_input
from emocli.errors import EmoError

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_KINDS = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(int64)": np.int64}


class _Session:
    """A model in ONNX Runtime. Made by `load`."""

    def __init__(self, session: onnxruntime.InferenceSession, model: Path, states: States, logits: int) -> None:
        self._session, self._model, self._states = session, model, states
        entry = session.get_inputs()[0]
        self._kind = np.dtype(_KINDS.get(entry.type, np.float32))
        self._outputs = [output.name for output in session.get_outputs()]
        self._logits = logits
        self.provider: str = session.get_providers()[0]
        self.input_name: str = entry.name
        self.input_type = self._kind.name
        self.input_shape = tuple(axis if isinstance(axis, int) else -1 for axis in entry.shape[1:])
        self.begin()

    def begin(self) -> None:
        """Forget what was run before, where states are carried."""
        self._carried = {name: np.zeros(shape, np.float32) for name, (_, shape) in self._states.items()}

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return every output by name; x is (n, *input_shape). Raises EmoError when x is not what the model takes."""
        # the usual case first: the full check takes a microsecond
        if x.dtype != self._kind or x.shape[1:] != self.input_shape:
            check_input(x, self._kind, self.input_shape, self._model)
        try:
            values = self._session.run(self._outputs, {self.input_name: x, **self._carried})
        except Exception as fault:  # as when a session is made
            raise _refused(fault, self._model) from fault
        outputs = dict(zip(self._outputs, values, strict=True))
        if self._logits and outputs["logits"].shape != (len(x), self._logits):
            raise EmoError(f"{self._model} gives other logits than it says; make it again with this emo")
        self._carried = {name: outputs.pop(after) for name, (after, _) in self._states.items()}
        return outputs


def load(
    model: Path, *, threads: int = 1, spin: bool = True, provider: str = "auto", carry: bool = False
) -> CarryingEngine:
    """Return the model ready to run; raises EmoError for a model or provider that can't be had, without a fallback.

    Constants that the exporter left in the graph are computed; on the processor the model is also arranged as the
    kernels are fast with it (`_arranged`).
    """
    proto = onnx_file.load(model)
    if _plan.is_container(proto):
        raise EmoError(f"{model} is a TensorRT plan; run it with the tensorrt engine on the GPU it was built for")
    if len(proto.graph.input) != 1:
        raise EmoError(f"{model} has {len(proto.graph.input)} inputs, emo's models have one; export it with emo train")
    for name in _candidates(provider):
        prepared = _arranged.for_processor(proto) if name == _CPU else _arranged.folded(proto)
        states = States()
        if carry:
            prepared, states = _carry.carried(prepared, str(model))
        # an untouched model is read from its file: a copy less in memory
        content = str(model) if prepared is proto else prepared.SerializeToString()
        session = _session(content, name, threads, spin, model)
        # ONNX Runtime goes on without a provider that fails to load
        if session is not None and session.get_providers()[0] == name:
            return _Session(session, model, states, _logits(proto))
    raise EmoError(f"ONNX Runtime has {provider} but it does not load here; see emo doctor, or use provider cpu")


def _logits(model: ModelProto) -> int:
    """Return how many logits a model says that it gives of an input, 0 for one that is no classifier."""
    axes = onnx_interface.logits_axes(model) or []
    return axes[1] or 0 if len(axes) == 2 else 0


def _candidates(provider: str) -> list[str]:
    """Return the providers to try, the wanted one first; raises EmoError for one that is not installed."""
    installed = onnxruntime.get_available_providers()
    if provider == "auto":
        return [_CUDA, _CPU] if _CUDA in installed else [_CPU]
    for name in installed:
        if provider.lower() in (name.lower(), name.lower().removesuffix("executionprovider")):
            return [name]
    known = ", ".join(name.removesuffix("ExecutionProvider").lower() for name in installed)
    hint = "; run: pip install onnxruntime-gpu" if provider.lower().startswith("cuda") else ""
    raise EmoError(f"this ONNX Runtime has no provider {provider!r}, only {known}{hint}")


def _session(
    content: str | bytes, name: str, threads: int, spin: bool, model: Path
) -> onnxruntime.InferenceSession | None:
    """Return a session on one provider, None if that provider fails; raises EmoError when the model is at fault."""
    try:
        return onnx_session.opened(content, threads=threads, spin=spin, provider=name)
    except Exception as fault:  # ONNX Runtime has an error class per status, without a common base of its own
        if name != _CPU:
            return None
        raise _refused(fault, model) from fault


def _refused(fault: Exception, model: Path) -> EmoError:
    reason = (str(fault).strip().splitlines() or [type(fault).__name__])[-1]
    full = "Failed to allocate memory" in reason
    what_next = "run less at once, with a smaller --batch" if full else "make it again with this emo"
    return EmoError(f"ONNX Runtime can't run {model} ({reason}); {what_next}")
