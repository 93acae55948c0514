"""The health check of containers: exit code 0 if the server on this machine is ready, else 1."""

import http.client
import os
import sys

from mesh.serve.addresses import own_addresses


def main() -> int:
    """Call `/v1/ready` at `SERVE_HOST` and `SERVE_PORT`; print the outcome and return the exit code."""
    addresses = own_addresses(os.environ.get("SERVE_HOST") or "127.0.0.1")
    failures = []
    for address in addresses:
        connection = _connection(address, int(os.environ["SERVE_PORT"]))
        try:
            # A name that every server takes, whatever its address looks like in a header.
            connection.request("GET", "/v1/ready", headers={"Host": "localhost"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{address}: {error}")
            continue
        finally:
            connection.close()
        print(f"status {status}")
        return 0 if status == 200 else 1
    print(f"no response: {'; '.join(failures)}")
    return 1


def _connection(host: str, port: int) -> http.client.HTTPConnection:
    if not os.environ.get("SERVE_TLS_CERT_FILE"):
        return http.client.HTTPConnection(host, port, timeout=2)
    import ssl

    context = ssl.create_default_context()
    # The certificate is for the name that clients know. Nothing secret is sent to this machine.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=2, context=context)


if __name__ == "__main__":
    sys.exit(main())
