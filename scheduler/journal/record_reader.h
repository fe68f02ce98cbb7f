#pragma once

#include <climits>
#include <string>
#include <string_view>

#include "policies/base/expected.h"
#include "scheduler/journal/decision_record.h"

namespace tidegate::journal {

// Reads enumerators that were stored as numbers, and keeps the first that has no meaning.
class EnumReader {
 public:
  template <class Enum>
  Enum Get(std::string_view what, int number, int count) {
    if (number >= 0 && number < count) return static_cast<Enum>(number);
    if (problem_.empty()) {
      problem_ = std::string(what) + " " + std::to_string(number) + " has no meaning";
    }
    return Enum{};
  }
  Expected<void> Result() const {
    if (problem_.empty()) return {};
    return Fail(ErrorCode::kInvalid, "damaged record: " + problem_);
  }

 private:
  std::string problem_;
};

// Parses `bytes` into a protobuf message with a schema number.
template <class Message>
Expected<void> ParseRecord(std::string_view bytes, Message& record) {
  if (bytes.size() > INT_MAX ||
      !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Fail(ErrorCode::kInvalid, "damaged record: its bytes can't be parsed");
  }
  if (record.schema() == 0 || record.schema() > kSchemaVersion) {
    return Fail(ErrorCode::kInvalid, "record of schema " + std::to_string(record.schema()) +
                                         "; this program knows 1 to " +
                                         std::to_string(kSchemaVersion));
  }
  return {};
}

}  // namespace tidegate::journal
