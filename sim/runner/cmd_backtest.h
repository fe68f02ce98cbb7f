#pragma once

#include "sim/runner/command.h"

namespace tidegate::sim {

// tidesim backtest: what would a configuration have done?
RunCommand AddBacktest(CLI::App& app);

}  // namespace tidegate::sim
