#pragma once

#include <string>
#include <vector>

#include "policies/base/instant.h"
#include "sim/runner/command.h"

namespace tidegate::sim {

struct LeagueOptions {
  std::string traces;              // a folder
  std::vector<Duration> scrapes;   // each a league of its own
  Duration part{0};                // of longer traces only so much is played
  int parts = 1;                   // so often, each part for itself
  std::vector<std::string> only;   // contestants; empty: all
  std::vector<std::string> names;  // loads whose names hold one of these; empty: all
  bool defaults_only = false;      // no search for the cheapest settings
  Duration seen_late{0};           // the pool without lag sees a load that old
  int threads = 0;                 // 0: one for each processor
  bool json = false;
  std::string page;  // a file for the HTML page; empty: none
};

// Plays every trace with every contestant at its default and at the cheapest setting that keeps the
// objective, found by bisection. Equal inputs give equal results on any number of threads.
int RunLeague(const LeagueOptions& options, Streams streams);

}  // namespace tidegate::sim
