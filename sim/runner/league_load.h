#pragma once

#include <string>
#include <vector>

#include "policies/base/expected.h"
#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// A recorded load as the league plays it.
struct LeagueLoad {
  std::string name;  // see PartName
  traces::Trace trace;
  double whole_days = 0;  // of the file
  bool smoothed = false;
};

// What is played of a longer trace.
struct LeagueParts {
  Duration length;  // of each
  int most = 1;     // >= 1
};

// The name of a trace's first, second .. part (1, 2 ..): "x", "x#2" ..
std::string PartName(const std::string& trace, int part);

// The loads of a trace for a pool that serves `peak` requests per second at its largest; at least
// one.
//  - Of a trace longer than a part, the part with two thirds of its length before the trace's
//    highest bin: what came before a peak matters more than what comes after it. Then the same of
//    the highest bin of where there is still room, and so on.
//  - Below two requests a second counting noise dominates, and multiplying would blow it up: means
//    of five minutes around each bin are taken instead.
//  - Bins longer than five seconds become bins of five seconds (or the longest divisor below) on
//    the line through the bins' middles.
//  - Each scaled so that its highest mean of 15 s is `peak`.
//  - What was smoothed is drawn anew: each bin Poisson around its mean, from the name alone.
std::vector<LeagueLoad> PrepareLoads(const std::string& name, const traces::Trace& recorded,
                                     const LeagueParts& parts, Rate peak);

struct TraceFile {
  std::string path;
  std::string name;  // of the trace; no two of a folder's are equal
};

// All trace files of a folder, by path: those ending in .csv, .csv.gz, .csv.zst and .tgtrace; links
// that lead nowhere too, so that whoever reads them says so. Traces are named like their files
// without these ends, and with them where two would have the same name.
Expected<std::vector<TraceFile>> TraceFiles(const std::string& folder);

}  // namespace tidegate::sim
