"""Show what an artifact holds: header, lineage, shapes, label counts, licence."""

import json
from typing import Annotated, Any

import typer

from emocli import pipes
from emocli.commands import _flags
from emocli.commands._show import for_people, show_record
from emocli.errors import EmoError


def run(
    file: _flags.Input = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compute the content hash again and compare.")] = False,
    as_json: _flags.Json = None,
) -> None:
    """Print one record about the artifact."""
    source = pipes.read(file, "dataset", "features", "model")
    record: dict[str, Any] = {**json.loads(source.header.to_json()), "digest": source.digest}
    record |= {"license": source.header.license, "bytes": source.path.stat().st_size}
    if source.header.kind == "model":
        if verify:
            raise EmoError("a model states no content hash to verify; compare the digest that emo info shows")
        from emocli import onnx_file

        record |= onnx_file.describe(source.path)
    else:
        from emocli.data import hdf5, hdf5_describe

        if verify:
            # first: what a damaged file says of itself is not worth describing
            hdf5.verify(source.path, source.source)
            record["verified"] = True
        record |= hdf5_describe.describe(source.path, source.source)
    if for_people(as_json):
        record["steps"] = [" ".join([step["command"], str(step.get("name", ""))]) for step in source.header.steps]
    show_record(record, as_json=as_json)
