"""What works in every process that carries out runs, beside the runs."""

from pipelines.worker.worker import begin as begin_pipelines

PARTS = (begin_pipelines,)
