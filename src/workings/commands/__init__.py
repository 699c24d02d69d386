"""The commands: each takes its arguments as typed, calls a verb, has the result printed, and returns the exit status.

A command imports what it needs when it is called, so that `workings list` loads nothing heavy.
"""

from collections.abc import Callable, Mapping

from workings.commands.reading import list_studies, report, show
from workings.commands.running import check, record, run
from workings.commands.using import data, doctor, new, use

Command = Callable[[list[str]], int]

COMMANDS: Mapping[str, Command] = {
    "list": list_studies,
    "show": show,
    "run": run,
    "check": check,
    "report": report,
    "record": record,
    "data": data,
    "use": use,
    "doctor": doctor,
    "new": new,
}
