"""Building a TensorRT plan from a model, on the GPU that shall run it."""

from types import ModuleType

from onnx import ModelProto

from emocli import extras, onnx_constants
from emocli.engines import _plan
from emocli.errors import EmoError

_OLDEST = 10
_WORKSPACE_BYTES = 1 << 30


def build_plan(model: ModelProto, *, batch: int = 32, source: str = "the model") -> ModelProto:
    """Return the model compiled for the GPU of this machine, in its container, and note that it was built here.

    `batch` is the largest batch the plan will take, `source` what errors call the model. Precision is the graph's.
    Raises EmoError when TensorRT or a GPU is missing and when TensorRT can't build the model.
    """
    trt = library()
    from emocli.engines import _cuda

    architecture = _cuda.architecture()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    # always so in TensorRT 11, asked for in 10: types come from the graph alone
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx_constants.fold_constants(model).SerializeToString()):
        reasons = "; ".join(parser.get_error(place).desc() for place in range(parser.num_errors))
        raise EmoError(f"TensorRT can't read {source} ({reasons}); run it with the onnxruntime engine")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    entry = network.get_input(0)
    profile, shape = builder.create_optimization_profile(), tuple(entry.shape)[1:]
    if -1 in shape:
        raise EmoError(f"{source} takes clips of any length, for which emo builds no plan; run it with onnxruntime")
    profile.set_shape(entry.name, (1, *shape), (1, *shape), (batch, *shape))
    config.add_optimization_profile(profile)
    code = builder.build_serialized_network(network, config)
    if code is None:
        raise EmoError(f"TensorRT could not build {source}; its messages above say why")
    plan = _plan.Plan(bytes(code), trt.__version__, architecture)
    _plan.remember(plan)
    return _plan.wrap(plan, model)


def library() -> ModuleType:
    """Return the tensorrt module; raises EmoError with the pip line when it or the CUDA bindings are missing."""
    try:
        import cuda.bindings.runtime  # noqa: F401
        import tensorrt
    except ImportError as fault:
        line = extras.pip_line("tensorrt")
        raise EmoError(f"{fault.name} is not installed; on the machine with the NVIDIA GPU run: {line}") from fault
    if int(tensorrt.__version__.split(".")[0]) < _OLDEST:
        raise EmoError(f"TensorRT {tensorrt.__version__} is older than {_OLDEST}; update it")
    module: ModuleType = tensorrt
    return module
