"""A TensorRT plan of a model artifact, in its ONNX container or bare as trtexec takes it."""

from pathlib import Path

from emocli import onnx_file, pipes
from emocli.artifact import Step
from emocli.engines import _build, _plan
from emocli.errors import EmoError


def write(source: pipes.Input, path: Path, step: Step, *, raw: bool) -> None:
    """Write the plan of a model to `path`, built on the GPU of this machine; `raw` without its container.

    A plan that is in its container already is only taken out. Raises EmoError when there is nothing to do, and as
    building does: no TensorRT, no GPU, a model that TensorRT can't read.
    """
    model = onnx_file.load(source.path)
    if source.header.own_step("export"):
        raise EmoError(f"{source.source} is arranged for processors; build the plan from the model before emo export")
    if not _plan.is_container(model):
        model = _build.build_plan(model, batch=step["options"]["batch"], source=source.source)
        onnx_file.write_header(model, source.header.then({**step, "input": source.digest}, kind="model"))
    elif not raw:
        raise EmoError(f"{source.source} is a plan already; --raw takes it out of its container")
    if raw:
        path.write_bytes(_plan.unwrap(model, source.source).code)
    else:
        onnx_file.save(model, path)
