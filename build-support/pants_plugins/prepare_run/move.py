"""Move the content of a folder into a new one: `move.py FROM TO`."""

import shutil
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
target.mkdir()
for entry in source.iterdir():
    shutil.move(str(entry), str(target))
