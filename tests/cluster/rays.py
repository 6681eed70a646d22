"""A real Ray cluster on this machine, of several nodes with processes of their own.

In: the cores of the head and of the other nodes. Out: the cluster, gone again afterwards. The one decision: a node that did not come up is tried again twice,
since Ray gives its own helpers fifteen seconds, which a machine that is busy with other tests may not keep.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def ray_cluster(head: int, *nodes: int) -> Iterator[Any]:
    """Skips where Ray is not installed."""
    ray = pytest.importorskip("ray", reason="no Ray on this machine")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=False)
    for cores in (head, *nodes):
        _added(cluster, cores)
    yield cluster
    ray.shutdown()
    cluster.shutdown()  # type: ignore[no-untyped-call]


def _added(cluster: Any, cores: int, tries: int = 3) -> None:
    options = {} if cluster.head_node else {"include_dashboard": False}
    try:
        cluster.add_node(num_cpus=cores, **options)
    except (Exception, SystemExit):
        if tries == 1:
            raise
        _added(cluster, cores, tries - 1)
