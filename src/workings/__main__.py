"""`python -m workings …`, and `torchrun --nproc-per-node 2 -m workings run …`, where the first process alone speaks."""

import os
import sys

from workings.cli import main
from workings.train.launch import launch

if __name__ == "__main__":
    if launch().rank:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(main())
