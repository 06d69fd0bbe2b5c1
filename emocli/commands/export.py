"""Write an INT8 model as plain ONNX Runtime is fast with it, for programs without emo."""

from emocli import outputs, pipes
from emocli.commands import _flags


def run(model: _flags.Input = None, output: _flags.Output = None, force: _flags.Force = False) -> None:
    """Write the model, which is for processors only: TensorRT takes it as it was."""
    with outputs.output(output, force=force) as scratch:
        source = pipes.read(model, "model")
        from emocli.compress import export

        export.write(source, scratch, {"command": "export", "name": "onnxruntime"})
