"""The guardian of a home's services: `python -m config.embedded HOME`."""

import sys
from pathlib import Path

from config.embedded import stop_now
from config.embedded.holders import guard

if __name__ == "__main__":
    home = Path(sys.argv[1])
    guard(home, stop=lambda: stop_now(home))
