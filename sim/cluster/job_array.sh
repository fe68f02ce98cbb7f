#!/bin/sh
# A sweep on a Slurm cluster: as many tasks as shards, each running its own. A task that is killed or requeued goes on
# with the file that it left.
#
#   sbatch --array=0-7 --cpus-per-task=2 sim/cluster/job_array.sh SWEEP.yaml RESULTS_FOLDER
#   tidesim merge RESULTS_FOLDER/*.results
#
# Sweep, inputs and folder have to be on a file system that all nodes share. TIDESIM names the program where it
# is not in PATH.
#SBATCH --job-name=tidesim
#SBATCH --requeue
set -eu
if [ $# -ne 2 ] || [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  echo "usage: sbatch --array=0-N job_array.sh SWEEP.yaml RESULTS_FOLDER" >&2
  exit 2
fi
mkdir -p "$2"
exec "${TIDESIM:-tidesim}" sweep "$1" --results "$2/$SLURM_ARRAY_TASK_ID.results" \
  --threads "${SLURM_CPUS_PER_TASK:-1}"
