"""What `./pants` and `./mesh` start: Pants, or a program in its place.

`launch pants SCRIPT ARGUMENTS` is `./pants ARGUMENTS`, with Pants' own script. `launch mesh COMMAND`
is the `./pants` command that `./mesh` stands for; it is run only where nothing that fits is kept.

The Python that Pants is installed with runs this folder as it is, 3.7 at least; so it imports
nothing but the standard library and Pants.
"""

import os
import sys

import kept_mesh
import pants_run

# Pants must not find these modules before its own.
del sys.path[0]

name, *arguments = sys.argv[1:]
try:
    if name == "mesh":
        kept_mesh.main(arguments)
    script, *arguments = arguments
    arguments = pants_run.start_program(script, arguments)
    os.execv(sys.executable, [sys.executable, script, *arguments])  # noqa: S606
except OSError as error:
    sys.exit(f"./{name}: {error.filename2 or error.filename or 'a file'} can't be used: {error.strerror}.")
