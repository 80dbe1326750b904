"""Workers on a SLURM cluster for `paperlib batch`; needs `pip install dask-jobqueue`.

    python examples/slurm.py &                          # prints the address, holds the workers until it is ended
    paperlib batch mine.yml --scheduler tcp://HOST:PORT

Every node must see the same files. Adapt queue, memory and time to the cluster. On GPU nodes each worker offers its GPU
as a resource of which a run takes one.
"""

import signal

from dask_jobqueue import SLURMCluster

if __name__ == "__main__":
    cluster = SLURMCluster(
        queue="normal",
        cores=4,
        processes=1,  # one run at a time on a worker
        memory="16GB",
        walltime="04:00:00",
        # on GPU nodes: job_extra_directives=["--gres=gpu:1"], worker_extra_args=["--resources GPU=1"],
    )
    cluster.scale(jobs=8)
    print(cluster.scheduler_address, flush=True)
    signal.pause()
