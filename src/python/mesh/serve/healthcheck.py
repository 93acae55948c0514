"""The health check of containers: exit code 0 if the server on this machine is ready, else 1."""

import http.client
import os
import sys


def main() -> int:
    """Call `/v1/ready` at `SERVE_PORT`; print the outcome and return the exit code."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["SERVE_PORT"]), timeout=2)
    try:
        connection.request("GET", "/v1/ready")
        status = connection.getresponse().status
    except OSError as error:
        print(f"no response: {error}")
        return 1
    finally:
        connection.close()
    print(f"status {status}")
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
