"""Running a DAG on simulated GPUs, in numpy, against the unsharded model."""
