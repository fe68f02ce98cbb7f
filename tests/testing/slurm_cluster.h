#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "tests/testing/child_process.h"

namespace tidegate::testing {

// A real Slurm of one node on this machine: munged, slurmctld and slurmd of Debian's packages
// munge, slurmctld, slurmd and slurm-client, with all their files in a folder of their own, on free
// ports. Everything is stopped at the end of the object's life.
class SlurmCluster {
 public:
  // Starts it and waits until the node takes jobs. kNotFound where a program is not installed; the
  // message of another failure holds the logs.
  static Expected<std::unique_ptr<SlurmCluster>> Start();
  ~SlurmCluster();

  // sbatch and the like, as a user of this cluster: the words behind the program.
  Expected<ProgramResult> Run(std::vector<std::string> command, Duration deadline) const;

 private:
  SlurmCluster() = default;
  Expected<void> Launch(const std::vector<std::string>& argv, const std::string& log);
  std::string Path(const std::string& name) const { return (dir_.path() / name).string(); }

  TempDir dir_;
  std::string user_;
  std::vector<ChildProcess> daemons_;
};

}  // namespace tidegate::testing
