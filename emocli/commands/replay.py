"""Print the pipeline that made an artifact, as shell lines that make it again."""

from emocli import pipes, replaying
from emocli.commands import _flags


def run(file: _flags.Input = None) -> None:
    """Print one shell pipeline, a stage per line."""
    source = pipes.read(file, "dataset", "features", "model")
    print(replaying.pipeline(source.header))
