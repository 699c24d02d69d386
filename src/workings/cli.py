"""The command line: the one place where everything meets, is called, and is printed.

Exit status: 0 all is well; 1 a verdict came out the other way round than its study expects (``--strict``: or is open);
2 a mistake of the caller's, told in one line; 130 stopped by a signal after a checkpoint.
"""

import os
import sys
from collections.abc import Sequence

from workings import __version__
from workings.commands import COMMANDS
from workings.core.errors import Diverged, Interrupted, UserError, WorkingsError, suggestion

USAGE = """\
workings — deep-learning problem sets, worked: every claim run, every verdict with its evidence.

  workings list                              the studies
  workings show STUDY | STUDY.CLAIM | RUN    what one is, and what is known of it
  workings run STUDY [--preset P] [--FIELD V …]
                                             carry out a preset's trials, or one of your own
  workings check [SET | STUDY | STUDY.CLAIM …] [--run] [--json]
                                             the verdicts; --run trains what is missing
  workings report [-o FOLDER]                the ledger, studies and runs as a site that opens from disk
  workings use STUDY VERB …                  put a trained system to work
  workings record RUN …                      ship a finished run's evidence with its study
  workings data list | get ID | verify ID    the datasets
  workings doctor                            whether this machine has what is needed
  workings new NAME [--problem-set]          scaffold a study, or a problem set, with its failing test

Each takes --help. --debug, anywhere, shows the traceback of an error. Start with: workings check minimax
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args
    args = [arg for arg in args if arg != "--debug"]
    if not args or args[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0
    if args[0] == "--version":
        print(f"workings {__version__}")
        return 0
    try:
        if args[0] not in COMMANDS:
            raise UserError(
                f"there is no command {args[0]!r}{suggestion(args[0], COMMANDS)}: `workings --help` names them all"
            )
        return COMMANDS[args[0]](args[1:])
    except BrokenPipeError:  # the reader went away (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a file or a disk, not a fault of the program
        if debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _told(UserError(f"{where}{error.strerror or error}; make it readable and writable, or name another"))
    except (WorkingsError, KeyboardInterrupt) as error:
        if debug:
            raise
        return _told(error)


def _told(error: BaseException) -> int:
    """Say it in one line on standard error, and choose the exit status."""
    if isinstance(error, KeyboardInterrupt):
        print("workings: stopped", file=sys.stderr)
        return 130
    print(f"workings: {' '.join(str(error).split())}", file=sys.stderr)
    return 130 if isinstance(error, Interrupted) else 1 if isinstance(error, Diverged) else 2


if __name__ == "__main__":
    sys.exit(main())
