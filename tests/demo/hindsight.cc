#include "tests/demo/hindsight.h"

#include <fstream>
#include <vector>

#include <boost/json.hpp>

#include "tests/testing/child_process.h"

namespace tidegate::demo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr Duration kPatience{60'000};

// The manifests with a bound that is too low, beside the real ones.
Expected<fs::path> BoundToTwo(const fs::path& dir) {
  const fs::path bound = dir / "bound-to-two";
  fs::create_directories(bound);
  fs::copy_file(dir / "manifests" / "gateway.yaml", bound / "gateway.yaml",
                fs::copy_options::overwrite_existing);
  std::string scaler = testing::ReadFile(dir / "manifests" / "scaler.yaml");
  const std::string was = "maxReplicas: 12";
  const auto at = scaler.find(was);
  if (at == std::string::npos) return Fail(ErrorCode::kInternal, "the scaler has no " + was);
  std::ofstream(bound / "scaler.yaml") << scaler.replace(at, was.size(), "maxReplicas: 2");
  return bound;
}

// From the first passed limit to its reason.
std::string WhyOf(const std::string& answer) {
  const auto begin = answer.find("      bad minutes: ");
  if (begin == std::string::npos) return "";
  return answer.substr(begin, answer.find("\n        the decision", begin) - begin);
}

}  // namespace

Expected<Hindsight> LookBack(const fs::path& dir, const fs::path& tidesim, Duration last) {
  const auto tidesim_with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), tidesim.string());
    // The first scrapes come a little later than the first requests.
    for (const std::string& more :
         {std::string("--config"), (dir / "tidegate.yaml").string(), std::string("--scenario"),
          (dir / "scenario.yaml").string(), std::string("--last"), FormatDuration(last),
          std::string("--max-gaps"), std::string("0.2")}) {
      arguments.push_back(more);
    }
    return testing::RunProgram(arguments, kPatience);
  };
  Hindsight hindsight;
  TIDEGATE_TRY(const testing::ProgramResult backtest,
               tidesim_with({"backtest", "--output", "json"}));
  json::error_code error;
  const json::value value = json::parse(backtest.output, error);
  if (backtest.status != 0 || error || !value.at("real").is_object())
    return Fail(ErrorCode::kInternal, "tidesim backtest: " + backtest.output);
  hindsight.real_peak = value.at("real").at("peakReplicas").to_number<int>();
  hindsight.real_hours = value.at("real").at("replicaHours").to_number<double>();
  hindsight.candidate_peak = value.at("candidate").at("peakReplicas").to_number<int>();
  hindsight.candidate_hours = value.at("candidate").at("replicaHours").to_number<double>();
  TIDEGATE_TRY(const testing::ProgramResult good, tidesim_with({"gate", "--max-bad-minutes", "0"}));
  hindsight.good_status = good.status;
  TIDEGATE_TRY(const fs::path bound, BoundToTwo(dir));
  TIDEGATE_TRY(const testing::ProgramResult bad,
               tidesim_with({"gate", bound.string(), "--max-bad-minutes", "0"}));
  hindsight.bad_status = bad.status;
  hindsight.bad_why = WhyOf(bad.output);
  return hindsight;
}

}  // namespace tidegate::demo
