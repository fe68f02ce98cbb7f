#pragma once

#include <filesystem>
#include <string>

namespace tidegate::demo {

struct Ports {
  int upstream = 0;
  int prometheus = 0;
  int daemon = 0;
};

// Writes the manifests, the daemon's and Prometheus's configuration, and the simulator's scenario
// below `dir`.
void WriteConfiguration(const std::filesystem::path& dir, const Ports& ports,
                        const std::string& trace);

// Writes the gateway's manifest again with access logs on: a template change.
void SwitchAccessLogsOn(const std::filesystem::path& dir);

// Lets the daemon ask another port than Prometheus's own. Call before it starts.
void UseSignalsFrom(const std::filesystem::path& dir, Ports ports, int port);

}  // namespace tidegate::demo
