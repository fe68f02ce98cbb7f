// `make demo`: a real pool follows real traffic on this machine. See Usage below.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "tests/demo/fidelity.h"
#include "tests/demo/hindsight.h"
#include "tests/demo/parts.h"
#include "tests/testing/front_watcher.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::steady_clock;

std::atomic<bool> interrupted = false;

constexpr Duration kSwitchAt{95'000};  // access logs on: a template change under load
constexpr Duration kLongest{180'000};  // the replay's deadline
constexpr Replicas kPeakWanted = 8;
constexpr std::uint64_t kRequestsWanted = 20'000;
constexpr Duration kDrainDeadline{10'000};
constexpr double kHoursAgree =
    0.1;  // replica-hours that backtest simulates, off by at most so much

struct Options {
  Programs programs;
  fs::path trace;
  std::string break_for_test;
};

void Say(const std::string& text) { std::cout << text << std::endl; }

// One line of the live view, from what is seen outside.
void ShowLine(Duration since, const testing::PoolSight& sight, bool terminal) {
  int up = 0, maint = 0;
  for (const auto& [name, server] : sight.front) {
    up += server.status.starts_with("UP") ? 1 : 0;
    maint += server.status.starts_with("MAINT") ? 1 : 0;
  }
  const std::string line = fmt::format(
      "  {:>4.0f} s   {:>2} processes   {:>2} serving   {:>2} leaving   {}", Seconds(since),
      sight.processes.size(), up, maint, std::string(static_cast<std::size_t>(up), '#'));
  if (terminal) {
    std::cout << "\r\x1b[K" << line << std::flush;
  } else if (since.count() / 1000 % 5 == 0) {
    Say(line);
  }
}

json::object ParseFile(const fs::path& path) {
  json::error_code error;
  const json::value value = json::parse(testing::ReadFile(path), error);
  return error || !value.is_object() ? json::object{} : value.get_object();
}

class Demo {
 public:
  explicit Demo(Options options) : options_(std::move(options)) {}

  int Run() {
    if (auto ready = Prepare(); !ready) {
      std::cerr << "demo: " << ready.error().message << "\n";
      return 1;
    }
    Predict();
    if (auto driven = Drive(); !driven) {
      std::cerr << "demo: " << driven.error().message << "\n";
      return 1;
    }
    return Conclude();
  }

 private:
  Expected<void> Prepare() {
    std::string name = (fs::temp_directory_path() / "tidegate-demo-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      return Fail(ErrorCode::kInternal, "can't make a folder in /tmp");
    Say("Everything of this run is in " + name);
    TIDEGATE_TRY(stage_, Stage::Build(name, options_.programs, options_.trace.string()));
    TIDEGATE_TRY_VOID(stage_->StartPrometheus());
    std::vector<std::string> arguments{"--drain-on-exit"};
    if (!options_.break_for_test.empty()) {
      arguments.push_back("--break-for-test");
      arguments.push_back(options_.break_for_test);
    }
    watcher_ = std::make_unique<testing::FrontWatcher>(stage_->pool_dir());
    TIDEGATE_TRY_VOID(stage_->StartDaemon(arguments));
    Say(fmt::format("Prometheus {}   tidegate {}", stage_->prometheus_url(), stage_->daemon_url()));
    if (!testing::WaitUntil(Duration(30'000), [&] { return interrupted || Serving() >= 2; })) {
      return Fail(ErrorCode::kTimeout, "the pool's two replicas do not come up; see tidegate.log");
    }
    Say(fmt::format("The pool of 2 replicas serves at {}", stage_->FrontUrl()));
    return {};
  }

  int Serving() const {
    const auto sight = watcher_->Latest();
    return static_cast<int>(std::ranges::count_if(
        sight.front, [](const auto& entry) { return entry.second.status.starts_with("UP"); }));
  }

  void Predict() {
    auto run = testing::RunProgram({options_.programs.tidesim.string(), "run",
                                    (stage_->dir() / "scenario.yaml").string(), "--output", "json"},
                                   Duration(30'000));
    json::error_code error;
    if (!run || run->status != 0) return;
    const json::value value = json::parse(run->output, error);
    if (!error) predicted_ = value.at("pools").at(0).as_object();
  }

  Expected<void> Drive() {
    const auto replay_log = stage_->dir() / "replay.json";
    TIDEGATE_TRY(testing::ChildProcess replay,
                 testing::ChildProcess::Start(
                     {options_.programs.tidetrace.string(), "replay", options_.trace.string(),
                      "--url", stage_->FrontUrl() + "/", "--max-connections", "4000", "--timeout",
                      "20s", "--output", "json", "--quiet"},
                     {.output = replay_log}));
    Say("A flash crowd begins; at 95 s access logs are switched on, which replaces every "
        "replica.\n");
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    const auto begin = begin_ = steady_clock::now();
    Duration shown{-1'000};
    while (replay.Running() && !interrupted) {
      const auto since = std::chrono::duration_cast<Duration>(steady_clock::now() - begin);
      if (since > kLongest) return Fail(ErrorCode::kTimeout, "the replay does not end");
      if (since >= kSwitchAt && !switched_) Switch();
      if (since - shown >= Duration(1'000)) {
        shown = Duration(since.count() / 1000 * 1000);
        ShowLine(shown, watcher_->Latest(), terminal);
      }
      testing::WaitUntil(Duration(100), [&] { return interrupted.load() || !replay.Running(); });
    }
    if (terminal) Say("");
    if (interrupted) return Fail(ErrorCode::kInternal, "interrupted; everything is stopped");
    (void)replay.Wait(Duration(1'000));
    replayed_ = ParseFile(replay_log);
    if (replayed_.empty())
      return Fail(ErrorCode::kInternal, "the replay left no report; see replay.json");
    return {};
  }

  void Switch() {
    for (const auto& [replica, pid] : watcher_->Latest().processes) old_.insert(replica);
    SwitchAccessLogsOn(stage_->dir());
    switched_ = true;
  }

  // From outside: no replica of before the switch runs any more, and some of after it do.
  bool RolledOut() const {
    const auto sight = watcher_->Latest();
    return switched_ && !sight.processes.empty() &&
           std::ranges::none_of(sight.processes,
                                [&](const auto& entry) { return old_.contains(entry.first); });
  }

  int Conclude() {
    const bool rolled_out =
        testing::WaitUntil(Duration(45'000), [&] { return interrupted || RolledOut(); });
    const bool back =
        testing::WaitUntil(Duration(60'000), [&] { return interrupted || Serving() <= 3; });
    watcher_->Stop();
    const auto desired = stage_->DesiredOverTime();
    const auto logs = stage_->dir() / "state" / "logs" / "mesh-log-1.log";
    const bool logged = fs::exists(logs) && fs::file_size(logs) > 0;
    const testing::JudgeOptions judge{
        .budget = {}, .declared = 2, .drain_deadline = kDrainDeadline};
    const testing::Judgement judgement = testing::Judge(watcher_->Sights(), desired, judge);
    const auto since = std::chrono::ceil<std::chrono::seconds>(steady_clock::now() - begin_);
    const auto hindsight = LookBack(stage_->dir(), options_.programs.tidesim, since);
    const bool stopped = stage_->Shutdown(Duration(40'000));
    Report(judgement);
    Verdict("requests", Number("started") >= kRequestsWanted,
            fmt::format("{} of at least {}", Number("started"), kRequestsWanted));
    Verdict("no failed request", Number("failed") == 0 && Number("unfinished") == 0,
            fmt::format("{} failed, {} unfinished", Number("failed"), Number("unfinished")));
    Verdict("no budget broken", judgement.breaches.empty(),
            fmt::format("{} breaches", judgement.breaches.size()));
    Verdict("followed the crowd", peak_ >= kPeakWanted, fmt::format("peak {} serving", peak_));
    Verdict("and back down", back, fmt::format("{} serving at the end", last_));
    Verdict("rolled out under load", rolled_out && logged,
            rolled_out ? "all replicas replaced" : "old replicas still run");
    JudgeHindsight(hindsight);
    Verdict("stopped cleanly", stopped, "the daemon drained the pool and exited");
    Say(fmt::format(
        "\njournal: {}\n  tidegate explain istio-system/ingressgateway --last 20 --journal {}",
        stage_->journal().string(), stage_->journal().string()));
    return failed_ ? 1 : 0;
  }

  // What tidesim says of this run by what Prometheus holds of it.
  void JudgeHindsight(const Expected<Hindsight>& seen) {
    if (!seen) return Verdict("tidesim looks back", false, seen.error().message);
    Verdict(
        "backtest agrees",
        std::abs(seen->real_peak - seen->candidate_peak) <= 1 &&
            std::abs(seen->real_hours - seen->candidate_hours) <= kHoursAgree * seen->real_hours,
        fmt::format("peak {} replicas, {:.3f} replica-hours; simulated {}, {:.3f}", seen->real_peak,
                    seen->real_hours, seen->candidate_peak, seen->candidate_hours));
    Verdict("gate lets it pass", seen->good_status == 0,
            fmt::format("exit status {}", seen->good_status));
    Verdict("gate stops a bad one", seen->bad_status == 1 && !seen->bad_why.empty(),
            "two replicas at most\n" + seen->bad_why);
  }

  std::uint64_t Number(const char* key) const {
    const json::value* value = replayed_.if_contains(key);
    return value == nullptr ? 0 : value->to_number<std::uint64_t>();
  }

  void Report(const testing::Judgement& judgement) {
    peak_ = judgement.highest_available;
    last_ = judgement.last_available;
    const json::object& latency = replayed_.at("latency_ms").get_object();
    Say(fmt::format(
        "\nrequests   {} sent, {} failed   p50 {:.0f} ms   p99 {:.0f} ms   max {:.0f} ms",
        Number("started"), Number("failed"), latency.at("p50").to_number<double>(),
        latency.at("p99").to_number<double>(), latency.at("max").to_number<double>()));
    for (const auto& failure : replayed_.at("failures").get_object()) {
      Say(fmt::format("           {} x {}", failure.value().to_number<std::uint64_t>(),
                      std::string(failure.key())));
    }
    std::string path;
    for (const std::string& step : judgement.path) path += (path.empty() ? "" : ", ") + step;
    Say("serving    " + path);
    Say(fmt::format("steps      {} starts, {} drains   highest live {}, lowest available {}",
                    judgement.starts, judgement.drains, judgement.highest_live,
                    judgement.lowest_available));
    if (!predicted_.empty()) {
      Say(fmt::format(
          "tidesim    predicted a peak of {} live, {} starts and {} drains, {:.0f} requests lost, "
          "longest "
          "wait {:.1f} s\n           (the crowd alone, without the rollout)",
          predicted_.at("peakLive").to_number<int>(), predicted_.at("starts").to_number<int>(),
          predicted_.at("drains").to_number<int>(), predicted_.at("lost").to_number<double>(),
          predicted_.at("longestWaitSeconds").to_number<double>()));
    }
    for (const std::string& breach : judgement.breaches) Say("BREACH     " + breach);
    Say("");
  }

  void Verdict(const char* what, bool good, const std::string& figures) {
    Say(fmt::format("{}  {:<24} {}", good ? "ok  " : "FAIL", what, figures));
    failed_ = failed_ || !good;
  }

  Options options_;
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<testing::FrontWatcher> watcher_;
  json::object predicted_;
  json::object replayed_;
  std::set<std::string> old_;
  steady_clock::time_point begin_;  // of the replay
  bool switched_ = false;
  bool failed_ = false;
  Replicas peak_ = 0;
  Replicas last_ = 0;
};

constexpr const char* kUsage =
    "usage: tidegate_demo [--trace FILE] [--break-for-test drain-order|overshoot]\n"
    "       tidegate_demo --fidelity FOLDER...\n\n"
    "Starts a Prometheus, an upstream, a pool of HAProxy replicas and the daemon on loopback, "
    "replays a flash crowd\n"
    "and rolls the pool out under load. Exit status 0 only if no request failed and no budget was "
    "broken, judged by\n"
    "the load generator and by a watcher of the front and the processes.\n\n"
    "--fidelity simulates the runs that left those folders, request by request, and says how far "
    "the simulator is from\nwhat happened. Example: tidegate_demo --fidelity "
    "/tmp/tidegate-demo-*\n";

int Main(int argc, char** argv) {
  const fs::path build = fs::read_symlink("/proc/self/exe").parent_path().parent_path();
  Options options;
  options.programs = {build / "scheduler" / "tidegate", build / "traces" / "tidetrace",
                      build / "sim" / "tidesim"};
  options.trace = fs::path(TIDEGATE_SOURCE_DIR) / "traces" / "data" / "flash_crowd_2m.csv";
  if (argc > 2 && std::string(argv[1]) == "--fidelity") {
    return PrintFidelity({argv + 2, argv + argc}, options.programs, options.trace) ? 0 : 1;
  }
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    const bool known = value == "drain-order" || value == "overshoot";
    if (flag == "--trace" && fs::exists(value)) {
      options.trace = fs::absolute(value);
    } else if (flag == "--break-for-test" && known) {
      options.break_for_test = value;
    } else {
      std::cerr << kUsage;
      return flag == "--help" ? 0 : 2;
    }
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    ::signal(number, [](int) { interrupted = true; });
  }
  ::signal(SIGPIPE, SIG_IGN);
  return Demo(std::move(options)).Run();
}

}  // namespace
}  // namespace tidegate::demo

int main(int argc, char** argv) { return tidegate::demo::Main(argc, argv); }
