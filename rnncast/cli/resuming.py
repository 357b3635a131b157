"""``rnncast train --resume``: the checkpoint of a training, beside its model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rnncast.cli.forms import STDOUT
from rnncast.cli.output import Output

if TYPE_CHECKING:
    from rnncast.data.panel import Panel
    from rnncast.model.config import NetworkConfig, TrainingConfig
    from rnncast.training.checkpoint import Checkpoint

ENDING = ".checkpoint"
"""Ending of the file, after the name of the model, in which an interrupted training is kept."""


def new_checkpoint(
    output: str, panel: Panel, network: NetworkConfig, training: TrainingConfig, started_from: str | None
) -> Checkpoint:
    """The checkpoint of a training whose model goes to a file; of one that goes to stdout or a device none is kept."""
    from rnncast.training.checkpoint import Checkpoint, checkpoint_of

    if output == STDOUT or (os.path.exists(output) and not os.path.isfile(output)):
        return Checkpoint()
    return checkpoint_of(output + ENDING, panel, network, training, started_from)


@contextmanager
def kept(checkpoint: Checkpoint, out: Output, *, resume: bool) -> Iterator[None]:
    """Take a checkpoint up, if asked to; what ends the training before its time says that one can go on."""
    from rnncast.data.summary import counted

    _take_up(checkpoint, out, resume)
    try:
        with checkpoint:
            yield
    except BaseException as error:
        if checkpoint.epochs:
            done = counted(checkpoint.epochs, "epoch")
            error.add_note(f"{checkpoint.path} keeps {done} of training: the same command with --resume goes on")
        raise
    finally:
        if checkpoint.failure is not None:
            out.warn(f"the training could not be kept: {checkpoint.failure.message}")


def _take_up(checkpoint: Checkpoint, out: Output, resume: bool) -> None:
    from rnncast.data.summary import counted

    if not resume:
        if checkpoint.is_left:
            out.warn(f"{checkpoint.path} of a training that was interrupted is replaced; --resume would go on from it")
        return
    useless = checkpoint.restore()
    if useless is not None:
        out.warn(f"begun anew, since what was interrupted was another training: {useless}")
    elif checkpoint.epochs:
        out.note(f"going on after {counted(checkpoint.epochs, 'epoch')} of all networks together")
    else:
        out.note("nothing was interrupted: begun from the start")
