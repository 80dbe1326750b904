"""Start workers on a SLURM cluster for `paperlib batch` and for the tiles of a region; requires `pip install dask-jobqueue`.

    python examples/slurm.py &                          # prints the address; holds the workers until it is stopped
    paperlib batch mine.yml --scheduler tcp://HOST:PORT
    paperlib map region.yml polygons.gpkg --out maps --scheduler tcp://HOST:PORT

Every node must see the same files. Adapt queue, memory and time to the cluster. On GPU nodes, each worker declares its
GPU as a Dask resource, and each run, or task of a tile, takes one GPU.
"""

import signal

from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    cluster = SLURMCluster(
        queue="normal",
        cores=4,
        processes=1,
        worker_extra_args=["--nthreads 1"],  # one run or tile at a time per worker, ...
        job_script_prologue=["export OMP_NUM_THREADS=4"],  # ... on all of its cores
        memory="16GB",
        walltime="04:00:00",
        # on GPU nodes: job_extra_directives=["--gres=gpu:1"], worker_extra_args=["--nthreads 1", "--resources GPU=1"],
    )
    cluster.scale(jobs=8)
    print(cluster.scheduler_address, flush=True)
    signal.pause()
