#include "traces/generate/catalog.h"

#include "traces/generate/diurnal.h"
#include "traces/generate/spikes.h"

namespace tidegate::traces {

const std::vector<Generator>& Generators() {
  static const std::vector<Generator> kGenerators = {
      FlashCrowd(), Promotion(), ClassStart(), Match(), Diurnal(),
  };
  return kGenerators;
}

const Generator* FindGenerator(std::string_view name) {
  for (const Generator& generator : Generators()) {
    if (generator.name == name) return &generator;
  }
  return nullptr;
}

}  // namespace tidegate::traces
