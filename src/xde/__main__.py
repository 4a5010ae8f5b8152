"""`python -m xde` does what `xde` does, where no command of that name is on the path."""

import sys

from xde.faces.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
