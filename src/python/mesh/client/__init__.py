"""Clients of the mesh's servers, synchronous and asynchronous: see `docs/client.md`."""

from mesh.client.clients import AsyncClient, Client
from mesh.client.errors import CallError

__all__ = ["AsyncClient", "CallError", "Client"]
