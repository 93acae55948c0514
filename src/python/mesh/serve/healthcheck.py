"""The health check of containers: exit code 0 if the server on this machine is ready, else 1."""

import http.client
import os
import sys


def main() -> int:
    """Call `/v1/ready` at `SERVE_PORT`; print the outcome and return the exit code."""
    connection = _connection(int(os.environ["SERVE_PORT"]))
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


def _connection(port: int) -> http.client.HTTPConnection:
    if not os.environ.get("SERVE_TLS_CERT_FILE"):
        return http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    import ssl

    context = ssl.create_default_context()
    # The certificate is for the name that clients know. Nothing secret is sent to this machine.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=2, context=context)


if __name__ == "__main__":
    sys.exit(main())
