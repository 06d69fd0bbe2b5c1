"""The state of a run in one HDF5 file, written whole after each epoch: a killed run continues where it was."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from emocli import ranks
from emocli.data.hdf5_disk import Disk
from emocli.errors import EmoError
from emocli.training import distributed

Tree = dict[str, dict[str, Tensor]]


def save(path: Path, facts: Mapping[str, Any], tensors: Tree) -> None:
    """Write facts (JSON) and named groups of tensors; the file is the old one or the new one, never half of it."""
    scratch = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Disk(scratch, "w+") as disk:
            with h5py.File(disk, "w") as file:
                _write(file, facts, tensors)
            disk.check()
            os.fsync(disk.fileno())
        os.replace(scratch, path)
    except OSError as fault:
        why = f"the state of the run can't be written to {path} ({fault.strerror or 'disk full?'})"
        raise EmoError(
            f"{why}: --resume won't find it; set EMO_HOME to a folder with room that you can write"
        ) from fault
    finally:
        with contextlib.suppress(OSError):  # where there is no folder
            scratch.unlink()


def _write(file: h5py.File, facts: Mapping[str, Any], tensors: Tree) -> None:
    file.attrs["emo-state"] = json.dumps(facts)
    for group, members in tensors.items():
        folder = file.create_group(group)
        for name, tensor in members.items():
            folder[name] = tensor.detach().cpu().contiguous().numpy()


def load(path: Path, identity: str) -> tuple[dict[str, Any], Tree]:
    """Return facts and tensors; raises EmoError for a file that is no state, or the state of another run."""
    try:
        with h5py.File(distributed.file_of_first(path) if ranks.count() > 1 else path, "r") as file:
            facts = json.loads(file.attrs["emo-state"])
            tensors = {
                group: {name: torch.from_numpy(np.array(file[group][name])) for name in _leaves(file[group])}
                for group in file
            }
        stated = facts["identity"]
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as fault:
        raise EmoError(f"{path} is not the state of a run; leave it out or delete it") from fault
    if stated != identity:
        raise EmoError(
            f"{path} is the state of a run with other data or options; repeat those, or delete it to start anew"
        )
    return facts, tensors


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the optimizer's state as tensors named "<parameter's place>/<what>"."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return {
        f"{place}/{what}": value
        for place, parameter in enumerate(parameters)
        for what, value in optimizer.state[parameter].items()
    }


def restore_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `moments` returned."""
    places = [(parameter, group) for group in optimizer.param_groups for parameter in group["params"]]
    for name, value in tensors.items():
        place, what = name.split("/")
        parameter, group = places[int(place)]
        # The fused step walks through memory, so a moment must lie in memory as its parameter does.
        like = parameter if value.shape == parameter.shape else value
        # As in torch's load_state_dict: only a step that is taken tensor by tensor is counted on the CPU.
        counted_apart = what == "step" and not (group.get("fused") or group.get("capturable"))
        device = value.device if counted_apart else parameter.device
        optimizer.state[parameter][what] = torch.empty_like(like, dtype=value.dtype, device=device).copy_(value)


def _leaves(group: h5py.Group) -> list[str]:
    names: list[str] = []
    group.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names
