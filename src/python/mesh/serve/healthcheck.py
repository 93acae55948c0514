"""Exit with 0 if the server on this machine is ready, else with 1: the health check of containers."""

import http.client
import os
import sys


def main() -> int:
    """Ask `/v1/ready` at `SERVE_PORT`; return the exit code and print why when not ready."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["SERVE_PORT"]), timeout=2)
    try:
        connection.request("GET", "/v1/ready")
        status = connection.getresponse().status
    except OSError as error:
        print(f"no answer: {error}")
        return 1
    finally:
        connection.close()
    print(f"status {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
