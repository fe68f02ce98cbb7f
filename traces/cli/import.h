#pragma once

#include <functional>
#include <string>
#include <vector>

#include "traces/cli/commands.h"
#include "traces/import/log_import.h"
#include "traces/import/prometheus_range.h"

namespace CLI {
class App;
}

namespace tidegate::traces {

struct ImportCommand {
  std::vector<std::string> files;
  std::string output;  // a file, or "" for standard output
  std::string command_line;
  ImportOptions logs;
  RangeOptions range;
  bool json = false;
  bool quiet = false;  // no progress and no report
};
int RunImport(const ImportCommand& command, Streams streams);

// The words of `tidetrace import`, as they come from the command line.
struct ImportWords {
  ImportCommand command;
  std::string bin = "1s", start, end, utc_offset, reorder = "5m", step, status, max_bad = "5%";
  std::string values = "rate", gaps = "refuse", output = "text";
};
void AddImport(CLI::App& app, ImportWords& words);
// Words that need more than a look: durations, times, statuses. kInvalid with the flag's name.
Expected<void> FinishImport(ImportWords& words);

}  // namespace tidegate::traces
