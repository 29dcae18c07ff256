"""The console script `savelint`, and `python -m savelint`.

Where the outcome of the same run is kept and holds, it is said again. Only other runs need
click and all the rest.
"""

from __future__ import annotations

import io
import os
import sys

from savelint import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process."""
    key = outcome.key(sys.argv[1:])
    known = None if key is None else outcome.recall(key)
    if known is None:
        from savelint import cli

        cli.main(key)
    sys.exit(_say(*known))


def _say(text: str, code: int) -> int:
    """Print what a run has to say; its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it is gone, which Python would tell at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


if __name__ == "__main__":
    main()
