#include "traces/cli/cli.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "traces/cli/commands.h"
#include "traces/cli/import.h"
#include "traces/generate/catalog.h"

namespace tidegate::traces {
namespace {

constexpr const char* kFooter = R"(Examples:
  tidetrace generate flash-crowd --seed 1 --peak-multiple 8 -o spike.csv
  tidetrace inspect spike.csv
  tidetrace replay spike.csv --url http://127.0.0.1:8080/ --compress 2 --scale 1.5
  tidetrace import access.log.1.gz access.log --bin 10s -o day.tgtrace

A trace is a CSV file: the header t_seconds,requests, then the start of each bin in seconds from 0
and the requests in it. It may be packed by gzip or zstd, or be in the smaller binary form that files
named .tgtrace are written in; readers tell by the content. Exit status: 0 done, 1 failed, 2 bad input.)";

constexpr const char* kReplayFooter =
    R"(Requests start when the trace says so, whether or not earlier ones were answered; latency counts
from that intended start. --compress shortens time and keeps the rates, --scale multiplies the rates.
Exit status 1 if any request failed (see --tolerate). Ctrl-C ends it with the report so far.

--output json prints one object: started, succeeded, failed, unfinished, failures{kind: count},
statuses{code: count}, latency_ms and failure_latency_ms{count, mean, min, p50, p90, p99, p999, max},
connections{opened, max_open, idle_closed, reused_closed}, max_lag_ms, elapsed_s, stopped,
seconds[{second, started, succeeded, failed, unanswered, open_connections, p50_ms, p99_ms, max_ms}].

Example:
  tidetrace replay day.csv --url http://127.0.0.1:8080/shop --compress 24 --header 'Host: shop.example')";

// Everything that the command line fills in.
struct Parsed {
  GenerateCommand generate;
  std::string length;
  std::string bin;
  bool expected_counts = false;
  std::map<std::string, std::map<std::string, double>> parameters;  // by kind
  InspectCommand inspect;
  ReplayCommand replay;
  ImportWords import;
  std::string timeout = "10s";
  std::string inspect_output = "text";
  std::string replay_output = "text";
};

std::string FlagOf(std::string_view parameter) {
  std::string flag = "--" + std::string(parameter);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

void AddKind(CLI::App& generate, const Generator& generator, Parsed& parsed) {
  const std::string name(generator.name);
  CLI::App* kind = generate.add_subcommand(name, std::string(generator.summary));
  kind->add_option(
      "--duration", parsed.length,
      "length of the trace (default " + FormatDuration(generator.default_length) + ")");
  kind->add_option("--bin", parsed.bin,
                   "length of a bin (default " + FormatDuration(generator.default_bin) + ")");
  kind->add_option("--seed", parsed.generate.options.seed,
                   "equal seeds make equal traces (default 1)");
  kind->add_flag("--expected", parsed.expected_counts,
                 "the expected counts themselves, not random draws around them");
  kind->add_option("-o,--out", parsed.generate.output, "file to write (default standard output)");
  for (const ParameterInfo& info : generator.parameters) {
    kind->add_option_function<double>(
        FlagOf(info.name),
        [&parsed, name, parameter = std::string(info.name)](double value) {
          parsed.parameters[name][parameter] = value;
        },
        fmt::format("{} (default {})", info.help, info.fallback));
  }
  kind->callback([&parsed, name] { parsed.generate.kind = name; });
}

void AddCommands(CLI::App& app, Parsed& parsed) {
  CLI::App* generate = app.add_subcommand("generate", "make a trace");
  generate->require_subcommand(1);
  for (const Generator& generator : Generators()) AddKind(*generate, generator, parsed);

  CLI::App* inspect = app.add_subcommand("inspect", "show what is in a trace");
  inspect->add_option("FILE", parsed.inspect.file, "trace: CSV, packed CSV or .tgtrace")
      ->required();
  inspect->add_option("--output", parsed.inspect_output, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  inspect->footer("Example:\n  tidetrace inspect traces/data/flash_crowd_2m.csv --output json");

  CLI::App* replay = app.add_subcommand("replay", "send a trace's requests to a URL");
  ReplayCommand& options = parsed.replay;
  replay->add_option("FILE", options.file, "trace: CSV, packed CSV or .tgtrace")->required();
  replay->add_option("--url", options.url, "where to send GET requests (http)")->required();
  replay->add_option("--compress", options.compress, "play this many times faster (default 1)");
  replay->add_option("--scale", options.scale, "multiply the rates by this (default 1)");
  replay->add_flag("--even", options.even, "space requests evenly inside a bin, not at random");
  replay->add_option("--seed", options.seed, "seed of the random arrivals (default 1)");
  replay->add_option("--timeout", parsed.timeout,
                     "per request, from its intended start (default 10s)");
  replay
      ->add_option("--max-connections", options.max_connections,
                   "beyond these, requests wait and their latency grows (default 1024)")
      ->check(CLI::Range(1, 60'000));
  replay->add_option("--header", options.headers, "\"Name: value\" to send; may be repeated");
  replay->add_option("--output", parsed.replay_output, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  replay->add_flag("--quiet", options.quiet, "no progress");
  replay->add_flag("--tolerate", options.tolerate, "exit 0 even if requests failed");
  replay->footer(kReplayFooter);

  AddImport(app, parsed.import);
}

Expected<void> Finish(Parsed& parsed, bool import) {
  if (import) return FinishImport(parsed.import);
  if (!parsed.length.empty()) {
    TIDEGATE_TRY(parsed.generate.options.length, ParseDuration(parsed.length));
  }
  if (!parsed.bin.empty()) {
    TIDEGATE_TRY(parsed.generate.options.bin, ParseDuration(parsed.bin));
  }
  TIDEGATE_TRY(parsed.replay.timeout, ParseDuration(parsed.timeout));
  parsed.generate.options.poisson = !parsed.expected_counts;
  for (const auto& entry : parsed.parameters[parsed.generate.kind]) {
    parsed.generate.parameters.emplace(entry.first, entry.second);
  }
  parsed.inspect.json = parsed.inspect_output == "json";
  parsed.replay.json = parsed.replay_output == "json";
  return {};
}

// The command without the file that it writes.
std::string CommandLine(int argc, const char* const* argv) {
  std::string text = "tidetrace";
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "-o" || word == "--out") {
      ++i;
      continue;
    }
    text += fmt::format(" {}", word);
  }
  return text;
}

}  // namespace

int Main(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  const Streams streams{out, err};
  CLI::App app("Makes, imports, describes and replays request traces.", "tidetrace");
  app.footer(kFooter);
  app.require_subcommand(1);
  Parsed parsed;
  AddCommands(app, parsed);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? kDone : kBadInput;
  }
  if (const auto finished = Finish(parsed, app.got_subcommand("import")); !finished)
    return Report(finished.error(), streams);
  if (app.got_subcommand("generate")) {
    parsed.generate.command_line = CommandLine(argc, argv);
    return RunGenerate(parsed.generate, streams);
  }
  if (app.got_subcommand("import")) {
    parsed.import.command.command_line = CommandLine(argc, argv);
    return RunImport(parsed.import.command, streams);
  }
  if (app.got_subcommand("inspect")) return RunInspect(parsed.inspect, streams);
  return RunReplay(parsed.replay, streams);
}

}  // namespace tidegate::traces
