#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace tidegate {

// A code exists only where some caller reacts to it differently from the others.
enum class ErrorCode {
  kInvalid,      // input that will never be right: bad file, bad flag, bad response body
  kNotFound,     // the thing named does not exist
  kUnavailable,  // the other side cannot be reached or failed; trying again may help
  kTimeout,      // a deadline passed
  kTooLarge,     // a bound on size, depth or count was hit
  kDenied,       // authentication or authorisation was refused
  kConflict,     // somebody else holds or changed it
  kInternal,     // the operating system or a library failed in a way that we do not expect
};

// "invalid", "not found", ... for logs and metrics' label values.
const char* Name(ErrorCode code);

// An operating error: expected to happen, caught, counted and tested. The message is a full
// sentence fragment that says what failed and what to do, without a trailing full stop.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

// The result of anything that can fail for reasons outside our control. No exception crosses a
// folder. Derives from tl::expected because that is not [[nodiscard]]; switch to std::expected with
// C++23.
template <class T>
class [[nodiscard]] Expected : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace tidegate

#define TIDEGATE_CONCAT_INNER(a, b) a##b
#define TIDEGATE_CONCAT(a, b) TIDEGATE_CONCAT_INNER(a, b)

// TIDEGATE_TRY(auto reply, Get(url)): binds the value, or returns the error from this function.
#define TIDEGATE_TRY(declaration, expression)                                             \
  auto TIDEGATE_CONCAT(tidegate_try_, __LINE__) = (expression);                           \
  if (!TIDEGATE_CONCAT(tidegate_try_, __LINE__).has_value()) {                            \
    return ::tidegate::Fail(std::move(TIDEGATE_CONCAT(tidegate_try_, __LINE__)).error()); \
  }                                                                                       \
  declaration = *std::move(TIDEGATE_CONCAT(tidegate_try_, __LINE__))

// The same for an Expected<void>.
#define TIDEGATE_TRY_VOID(expression)                                      \
  if (auto tidegate_status = (expression); !tidegate_status.has_value()) { \
    return ::tidegate::Fail(std::move(tidegate_status).error());           \
  }
