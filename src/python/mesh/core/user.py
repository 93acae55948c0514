"""The user of this process, for people."""

import getpass
import os
import socket


def user_and_host() -> str:
    """The user and the machine, such as `ann@laptop`; nobody checks them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container, the user may have no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
