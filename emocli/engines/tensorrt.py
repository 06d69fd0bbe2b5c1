"""TensorRT on an NVIDIA GPU: runs a plan, or builds one from a model first.

TensorRT 10 and 11. Precision is in the graph, as QuantizeLinear and DequantizeLinear or as float16 casts: version 11
has no other way. A plan is machine code for one kind of GPU: it is loaded only when you built it, or when you say so.

Options:
    threads: means nothing on a GPU
    spin: means nothing on a GPU
    batch: largest batch that a plan built here will take
    trust: run a plan that someone else built, now and later; it can do whatever a program can
"""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emocli import onnx_file
from emocli.engines import _build, _plan
from emocli.engines._engine import Engine, check_input
from emocli.errors import EmoError


def load(model: Path, *, threads: int = 1, spin: bool = True, batch: int = 32, trust: bool = False) -> Engine:
    """Return the model, or plan, ready to run.

    Raises EmoError when TensorRT or a GPU is missing, when the plan is for another GPU or TensorRT, and when it is not
    the user's own and `trust` is not given.
    """
    proto = onnx_file.load(model)
    if not _plan.is_container(proto):
        proto = _build.build_plan(proto, batch=batch, source=str(model))
    plan = _plan.unwrap(proto, str(model))
    if trust:
        _plan.remember(plan)
    elif not _plan.is_mine(plan):
        raise EmoError(
            f"{model} is machine code that was not built here; if you trust who built it, say so once: "
            f"emo bench {model} --engine tensorrt --trust"
        )
    return _Session(plan, model)


class _Session:
    """A plan in TensorRT. Made by `load`."""

    provider = "TensorrtExecutionProvider"

    def __init__(self, plan: _plan.Plan, model: Path) -> None:
        trt = _build.library()
        from emocli.engines import _cuda

        _check_place(plan, trt.__version__, _cuda.architecture(), model)
        self._model, self._buffers = model, _cuda.Buffers()
        weakref.finalize(self, self._buffers.close)
        # the runtime must outlive what it loads
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        self._engine = self._runtime.deserialize_cuda_engine(plan.code)
        if self._engine is None:
            raise EmoError(f"TensorRT {trt.__version__} can't load {model}; build the plan again on this machine")
        self._context = self._engine.create_execution_context()
        names = [self._engine.get_tensor_name(place) for place in range(self._engine.num_io_tensors)]
        inputs = [name for name in names if self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self._outputs = [name for name in names if name not in inputs]
        self._kinds = {name: np.dtype(trt.nptype(self._engine.get_tensor_dtype(name))) for name in names}
        (self.input_name,) = inputs
        self.input_type = self._kinds[self.input_name].name
        self.input_shape = tuple(self._engine.get_tensor_shape(self.input_name))[1:]
        self._batch = self._engine.get_tensor_profile_shape(self.input_name, 0)[2][0]

    def run(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return every output by name; x is (n, *input_shape), and may be larger than the plan's batch."""
        check_input(x, self._kinds[self.input_name], self.input_shape, self._model)
        if not len(x):
            # a plan takes one input at least
            one = np.zeros((1, *self.input_shape), x.dtype)
            return {name: value[:0] for name, value in self._run_part(one).items()}
        starts = range(0, len(x), self._batch)
        parts = [self._run_part(np.ascontiguousarray(x[start : start + self._batch])) for start in starts]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _run_part(self, x: NDArray[Any]) -> dict[str, NDArray[Any]]:
        self._context.set_input_shape(self.input_name, x.shape)
        self._context.set_tensor_address(self.input_name, self._buffers.send(self.input_name, x))
        shapes = {name: tuple(self._context.get_tensor_shape(name)) for name in self._outputs}
        for name, shape in shapes.items():
            size = int(np.prod(shape)) * self._kinds[name].itemsize
            self._context.set_tensor_address(name, self._buffers.place(name, size))
        if not self._context.execute_async_v3(self._buffers.stream):
            raise EmoError(f"TensorRT failed to run {self._model}; build the plan again on this machine")
        results = {name: self._buffers.fetch(name, shape, self._kinds[name]) for name, shape in shapes.items()}
        self._buffers.wait()
        return results


def _check_place(plan: _plan.Plan, version: str, architecture: str, model: Path) -> None:
    """Raise EmoError unless the plan was built for this GPU and this TensorRT."""
    if plan.architecture != architecture:
        raise EmoError(
            f"{model} was built for compute capability {plan.architecture}, this GPU has {architecture}; build it here"
        )
    if plan.tensorrt.split(".")[:2] != version.split(".")[:2]:
        raise EmoError(f"{model} was built with TensorRT {plan.tensorrt}, this is {version}; build it again")
