"""The parts that work beside the runs, in every process that carries out some."""

from pipelines.worker.worker import begin as begin_pipelines

PARTS = (begin_pipelines,)
