"""Make the checkout importable in its own .venv, and put the command ``masthead`` beside its Python.

An editable install would need a build backend in the running environment; a path file and a two-line command
are all that it comes to.
"""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = """#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -m masthead "$@"
"""


def main() -> None:
    """Write both files."""
    Path(sysconfig.get_path("purelib"), "masthead-checkout.pth").write_text(f"{ROOT / 'src'}\n")
    command = Path(sys.executable).parent / "masthead"
    command.unlink(missing_ok=True)
    command.write_text(COMMAND)
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    main()
