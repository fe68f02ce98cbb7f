#pragma once

#include <functional>
#include <string>
#include <vector>

#include "traces/cli/commands.h"
#include "traces/import/log_import.h"
#include "traces/import/prometheus_range.h"
#include "traces/net/http_client.h"

namespace CLI {
class App;
}

namespace tidegate::traces {

// A range query to ask in place of reading files.
struct LiveQuery {
  std::string url;  // of a Prometheus; "": none is asked
  std::string promql;
  net::HttpClientOptions http;
  Duration timeout = std::chrono::seconds(30);  // for each piece of the range
};

struct ImportCommand {
  std::vector<std::string> files;
  std::string output;  // a file, or "" for standard output
  std::string command_line;
  ImportOptions logs;
  RangeOptions range;
  LiveQuery live;  // between the bins' start and end, at the range's step
  bool json = false;
  bool quiet = false;  // no progress and no report
};
int RunImport(const ImportCommand& command, Streams streams);

// The words of `tidetrace import`, as they come from the command line.
struct ImportWords {
  ImportCommand command;
  std::string bin = "1s", start, end, utc_offset, reorder = "5m", step, status, timeout = "30s",
              max_bad = "5%";
  std::string values = "rate", gaps = "refuse", output = "text";
};
void AddImport(CLI::App& app, ImportWords& words);
// Words that need more than a look: durations, times, statuses. kInvalid with the flag's name.
Expected<void> FinishImport(ImportWords& words);

}  // namespace tidegate::traces
