#include "tests/testing/slurm_cluster.h"

#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace tidegate::testing {
namespace {

using std::chrono::seconds;

std::string HostName() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  name.resize(name.find('\0'));
  return name.substr(0, name.find('.'));
}

// As little as one node needs: no accounting, no cgroups, two processors whatever the machine has.
std::string Config(const std::string& folder, const std::string& user) {
  return fmt::format(
      "ClusterName=tide\n"
      "SlurmctldHost={0}(127.0.0.1)\n"
      "SlurmUser={1}\nSlurmdUser={1}\n"
      "AuthType=auth/munge\nAuthInfo=socket={2}/munge.sock\nCredType=cred/munge\n"
      "SlurmctldPort={3}\nSlurmdPort={4}\n"
      "StateSaveLocation={2}/state\nSlurmdSpoolDir={2}/spool\n"
      "SlurmctldPidFile={2}/slurmctld.pid\nSlurmdPidFile={2}/slurmd.pid\n"
      "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
      "MpiDefault=none\nSwitchType=switch/none\nMailProg=/bin/true\n"
      "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n"
      "SchedulerParameters=sched_min_interval=0,batch_sched_delay=0\n"
      "ReturnToService=2\nSlurmdParameters=config_overrides\n"
      "AccountingStorageType=accounting_storage/none\n"
      "JobAcctGatherType=jobacct_gather/none\n"
      "NodeName={0} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN\n"
      "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
      HostName(), user, folder, FreePort(), FreePort());
}

}  // namespace

Expected<void> SlurmCluster::Launch(const std::vector<std::string>& argv, const std::string& log) {
  TIDEGATE_TRY(ChildProcess daemon, ChildProcess::Start(argv, {.output = Path(log)}));
  daemons_.push_back(std::move(daemon));
  return {};
}

Expected<std::unique_ptr<SlurmCluster>> SlurmCluster::Start() {
  std::unique_ptr<SlurmCluster> cluster(new SlurmCluster());
  const auto path = [&](const char* name) { return cluster->Path(name); };
  for (const char* folder : {"state", "spool"}) std::filesystem::create_directory(path(folder));
  TIDEGATE_TRY(const ProgramResult user, RunProgram({"id", "-un"}, seconds(10)));
  cluster->dir_.Write("slurm.conf", Config(cluster->dir_.path().string(),
                                           user.output.substr(0, user.output.find('\n'))));
  TIDEGATE_TRY(const ProgramResult key,
               RunProgram({"mungekey", "--create", "--keyfile=" + path("munge.key")}, seconds(30)));
  if (key.status != 0) return Fail(ErrorCode::kUnavailable, "mungekey: " + key.output);
  // --force: below /tmp, whose mode munged does not like.
  TIDEGATE_TRY_VOID(
      cluster->Launch({"munged", "--foreground", "--force", "--key-file=" + path("munge.key"),
                       "--socket=" + path("munge.sock"), "--pid-file=" + path("munge.pid"),
                       "--seed-file=" + path("munge.seed"), "--log-file=" + path("munge.log")},
                      "munged.out"));
  if (!WaitUntil(seconds(20), [&] { return std::filesystem::exists(path("munge.sock")); }))
    return Fail(ErrorCode::kUnavailable, "munged: " + ReadFile(path("munged.out")));
  TIDEGATE_TRY_VOID(
      cluster->Launch({"slurmctld", "-D", "-c", "-f", path("slurm.conf")}, "slurmctld.out"));
  TIDEGATE_TRY_VOID(
      cluster->Launch({"slurmd", "-D", "-f", path("slurm.conf"), "-N", HostName()}, "slurmd.out"));
  const bool idle = WaitUntil(seconds(60), [&] {
    const auto state = cluster->Run({"sinfo", "-h", "-o", "%T"}, seconds(20));
    return state && state->status == 0 && state->output == "idle\n";
  });
  if (idle) return cluster;
  return Fail(ErrorCode::kUnavailable,
              ReadFile(path("slurmctld.out")) + ReadFile(path("slurmd.out")));
}

SlurmCluster::~SlurmCluster() {
  // Jobs are in process groups of their own, which nobody would stop once slurmd is gone.
  (void)Run({"scancel", "--full", "--user", user_}, seconds(20));
  (void)WaitUntil(seconds(20), [&] {
    const auto jobs = Run({"squeue", "-h"}, seconds(20));
    return !jobs || jobs->status != 0 || jobs->output.empty();
  });
  for (auto daemon = daemons_.rbegin(); daemon != daemons_.rend(); ++daemon) {
    daemon->Signal(15);
    (void)daemon->Wait(seconds(20));
  }
}

Expected<ProgramResult> SlurmCluster::Run(std::vector<std::string> command,
                                          Duration deadline) const {
  command.insert(command.begin(), {"env", "SLURM_CONF=" + Path("slurm.conf")});
  return RunProgram(command, deadline);
}

}  // namespace tidegate::testing
