"""Nodes of Ray on this machine, until standard input ends: `python ray_nodes.py NODES CORES`.

It prints their address.
"""

import sys

from ray.cluster_utils import Cluster


def main() -> None:
    """Start so many nodes with so many cores each."""
    nodes, cores = map(int, sys.argv[1:])
    cluster = Cluster()
    try:
        for _ in range(nodes):
            cluster.add_node(
                num_cpus=cores, include_dashboard=False, object_store_memory=128 * 1024 * 1024
            )
        print(cluster.address, flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
