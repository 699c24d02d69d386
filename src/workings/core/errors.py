"""The errors a person can cause or repair. Every message is one line: what was given, what was expected, what to do.

WorkingsError
├── UserError         a mistake in what was asked: exit status 2, no traceback
│   └── RunBusy       another process holds this run
├── MissingEvidence   a claim asked for something no run has recorded
├── Diverged          a number became NaN or infinite while training
└── Interrupted       a signal stopped the run after its checkpoint was written
"""

import difflib
from collections.abc import Iterable


class WorkingsError(Exception):
    """The root of all errors raised on purpose."""


class UserError(WorkingsError):
    """What was asked cannot be done as asked; the message says what to do instead."""


class RunBusy(UserError):
    """A second process tried to write a run that the first still holds."""


class MissingEvidence(WorkingsError):
    """No run in the evidence has recorded what a claim reads; its verdict is then *not run*."""


class Diverged(WorkingsError):
    """A loss or a weight is no longer finite; the message names the step and the parameter."""


class Interrupted(WorkingsError):
    """SIGTERM or Ctrl-C: the checkpoint is written, the message says how to go on."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """``" (did you mean 'minimax'?)"`` where a known name is close, else an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
