"""A net compiled for this machine (torch.compile): training only, the net itself keeps its weights and their names."""

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from emocli.errors import EmoError


def compiled(net: Any, device: torch.device) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Return what gives the net's outputs, compiled when it is first called; EmoError where nothing compiles it.

    torch writes C++ for a CPU and Triton for a GPU. It would look for their compilers in the first step only.
    """
    # a second of imports that few runs need
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch.utils._triton import has_triton

    # it has something to say where a machine has CUDA's compiler and no GPU
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    try:
        get_cpp_compiler()
    except RuntimeError as fault:
        raise EmoError("--compile needs a C++ compiler and finds none; install g++, or leave it out") from fault
    if device.type == "cuda" and not has_triton():
        raise EmoError("--compile needs Triton for a GPU and finds none; run: pip install triton, or leave it out")
    outputs: Callable[[Tensor], tuple[Tensor, Tensor]] = torch.compile(net.outputs)
    return outputs
