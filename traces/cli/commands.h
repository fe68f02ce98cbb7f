#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "traces/format/trace.h"
#include "traces/generate/generator.h"

namespace tidegate::traces {

// What a command writes to: results, and messages.
struct Streams {
  std::ostream& out;
  std::ostream& err;
};

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;

// Prints the error to `err` and returns the exit status that it stands for.
int Report(const Error& error, Streams streams);

struct GenerateCommand {
  std::string kind;
  GenerateOptions options;
  ParameterValues parameters;
  std::string output;        // a file, or "" for standard output
  std::string command_line;  // written into the file, so that it can be made again
};
int RunGenerate(const GenerateCommand& command, Streams streams);

struct InspectCommand {
  std::string file;
  bool json = false;
};
int RunInspect(const InspectCommand& command, Streams streams);

struct ReplayCommand {
  std::string file;
  std::string url;
  double compress = 1;
  double scale = 1;
  bool even = false;  // evenly spaced arrivals in place of random ones
  std::uint64_t seed = 1;
  Duration timeout = std::chrono::seconds(10);
  std::size_t max_connections = 1024;
  std::vector<std::string> headers;  // "Name: value"
  bool json = false;
  bool quiet = false;     // no progress
  bool tolerate = false;  // failed requests do not make the command fail
};
// Ends early, with the report so far, on SIGINT or SIGTERM.
int RunReplay(const ReplayCommand& command, Streams streams);

// The trace as `width` blocks of eight heights, from 0 to the highest mean of any block.
std::string Sparkline(const Trace& trace, std::size_t width);

}  // namespace tidegate::traces
