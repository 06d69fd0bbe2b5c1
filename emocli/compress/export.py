"""A model for programs without emo: its file is what the engine makes of it when it loads it."""

from pathlib import Path

from emocli import onnx_file, pipes
from emocli.artifact import Step
from emocli.engines import _arranged, _plan, onnxruntime
from emocli.errors import EmoError


def write(source: pipes.Input, path: Path, step: Step) -> None:
    """Write the model with the zero points and arrangement that ONNX Runtime is fast with on a processor.

    Input, outputs and header stay. Raises EmoError for a TensorRT plan, for a damaged graph, and where there is nothing
    to change.
    """
    model = onnx_file.load(source.path)
    if _plan.is_container(model):
        raise EmoError(f"{source.source} is a TensorRT plan; --raw of emo plan writes it for other programs")
    onnxruntime.load(source.path, provider="cpu")  # a graph that it doesn't take is none for other programs
    arranged = _arranged.for_processor(model)
    if arranged is model:
        raise EmoError(f"{source.source} runs in ONNX Runtime as it is, nothing is to be changed; copy the file")
    onnx_file.write_header(arranged, source.header.then({**step, "input": source.digest}))
    onnx_file.save(arranged, path)
