#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policies/base/expected.h"
#include "scheduler/decision/decision.h"

namespace tidegate::journal {

// Of the records below. Raised when an older reader would misread what we write; it then refuses
// the record instead.
inline constexpr unsigned kSchemaVersion = 1;

// Decisions and state as bytes (protobuf, decision_record.proto). Decoding gives back an equal
// value. Bytes that are no such record, that a newer version wrote, or that hold numbers with no
// meaning (an unknown reason, a negative size) are errors: kInvalid.
std::string EncodeDecision(const decision::Decision& decision);
Expected<decision::Decision> DecodeDecision(std::string_view bytes);

std::string EncodeState(const decision::PoolState& state);
// What a policy remembers and this version can't read is forgotten, and told in `forgotten`: it
// learns anew. The rest of the state is worth more than that.
Expected<decision::PoolState> DecodeState(std::string_view bytes,
                                          std::vector<std::string>* forgotten = nullptr);

}  // namespace tidegate::journal
