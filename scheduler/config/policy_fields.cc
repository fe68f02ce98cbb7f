#include "scheduler/config/policy_fields.h"

#include <algorithm>
#include <concepts>
#include <string>
#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "policies/base/suggest.h"
#include "scheduler/config/schedule.h"

// Options of policies are read from the descriptions that they give of themselves
// (policies/base/fields.h): one reader for all of them.
namespace tidegate::config {
namespace {

constexpr std::size_t kMostPolicies = 16;
constexpr std::size_t kMostEntries = 64;
constexpr std::size_t kLongestText = 8'192;

class OptionReader {
 public:
  explicit OptionReader(Fields& fields) : fields_(fields) {}

  template <class T>
  void operator()(const Field& field, T& out) {
    const auto value = field.required ? fields_.Need(field.name) : fields_.Get(field.name);
    if (value) Read(field, *value, out);
  }

  static void Read(const Field&, const Value& value, bool& out) {
    if (const auto flag = value.Bool()) out = *flag;
  }
  static void Read(const Field& field, const Value& value, double& out) {
    const auto amount = value.Amount();
    if (!amount) return;
    out = amount->value();
    if (out < field.least || out > field.most) {
      value.Expect(fmt::format("a number from {} to {}", field.least, field.most));
    }
  }
  template <std::integral T>
  static void Read(const Field& field, const Value& value, T& out) {
    const IntRange range{static_cast<std::int64_t>(field.least),
                         static_cast<std::int64_t>(field.most)};
    if (const auto number = value.Integer(range)) out = static_cast<T>(*number);
  }
  static void Read(const Field&, const Value& value, std::string& out) {
    auto text = value.Text();
    if (text && text->size() > kLongestText) {
      value.Expect(fmt::format("a text of at most {} bytes", kLongestText));
    } else if (text) {
      out = *std::move(text);
    }
  }
  static void Read(const Field& field, const Value& value, Duration& out) {
    if (field.name.ends_with("Seconds")) {
      std::int64_t seconds = out.count() / 1000;
      Read(field, value, seconds);
      out = std::chrono::seconds(seconds);
      return;
    }
    const DurationRange range{FromSeconds(field.least), FromSeconds(field.most)};
    if (const auto time = value.Time(range)) out = *time;
  }
  static void Read(const Field&, const Value& value, Instant& out) {
    const auto text = value.Text();
    if (!text) return;
    if (const auto at = ParseInstant(*text)) {
      out = *at;
    } else {
      value.Expect("a time like 2026-11-27T00:00:00Z");
    }
  }
  template <class T>
  requires std::is_enum_v<T>
  static void Read(const Field& field, const Value& value, T& out) {
    if (const auto index = value.Choice(field.choices)) out = static_cast<T>(*index);
  }
  template <class T>
  static void Read(const Field& field, const Value& value, std::optional<T>& out) {
    Read(field, value, out.emplace());
  }
  template <class T>
  static void Read(const Field& field, const Value& value, std::vector<T>& out) {
    const auto items = value.Items(field.most_items);
    out.clear();
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Value item(value.context(), items[i], Path(value.path(), i));
      Read(field, item, out.emplace_back());
    }
  }
  template <Described T>
  static void Read(const Field&, const Value& value, T& out) {
    Fields fields(value);
    OptionReader reader(fields);
    T::VisitFields(out, reader);
    fields.Finish();
  }

 private:
  Fields& fields_;
};

std::string KnownNames() {
  std::string names;
  for (const PolicyEntry& entry : Policies()) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names;
}

const PolicyEntry* ReadName(const Value& value) {
  const auto name = value.Text();
  if (!name) return nullptr;
  const PolicyEntry* entry = FindPolicy(*name);
  if (entry == nullptr) {
    value.Complain(fmt::format("no policy is called \"{}\"; there are: {}", Printable(*name, 60),
                               KnownNames()));
  }
  return entry;
}

std::optional<PolicyOptions> ReadPolicy(const Value& item,
                                        std::span<const sizing::SignalTarget> targets) {
  if (item.node().kind != Node::Kind::kMap) {
    const PolicyEntry* entry = ReadName(item);
    if (entry == nullptr) return std::nullopt;
    return entry->options;
  }
  Fields fields(item);
  const auto name = fields.Need("name");
  const PolicyEntry* entry = name ? ReadName(*name) : nullptr;
  if (entry == nullptr) return std::nullopt;  // its fields can't be judged
  PolicyOptions options = entry->options;
  OptionReader reader(fields);
  const std::size_t before = item.context().problems->size();
  std::visit([&](auto& own) { own.VisitFields(own, reader); }, options);
  fields.Finish();
  if (item.context().problems->size() > before) return options;  // perhaps because of those
  for (const sizing::OptionProblem& problem : entry->check(options, targets)) {
    item.Complain(problem.field + ": " + problem.message);
  }
  return options;
}

}  // namespace

void ReadSchedule(const Value& list, std::vector<PolicyOptions>& policies) {
  if (FindSchedule(policies) == nullptr) {
    policies.push_back(FindPolicy(sizing::Scheduled::kName)->options);
  }
  sizing::ScheduleOptions& options = *FindSchedule(policies);
  if (!options.entries.empty()) {
    list.Complain("the policy schedule has entries of its own; write all of them here");
    return;
  }
  const auto items = list.Items(kMostEntries);
  const std::size_t before = list.context().problems->size();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(list.context(), items[i], Path(list.path(), i));
    OptionReader::Read({}, item, options.entries.emplace_back());
  }
  if (list.context().problems->size() > before) return;  // perhaps because of those
  for (const ScheduleProblem& problem : ResolveSchedule(options)) {
    const Value item(list.context(), items[problem.entry], Path(list.path(), problem.entry));
    Fields fields(item);
    const auto field = problem.field.empty() ? std::nullopt : fields.Get(problem.field);
    (field ? *field : item).Complain(problem.message);
  }
}

std::vector<PolicyOptions> ReadPolicies(const Value& list,
                                        std::span<const sizing::SignalTarget> targets) {
  std::vector<PolicyOptions> policies;
  const auto items = list.Items(kMostPolicies);
  if (list.node().kind == Node::Kind::kList && list.node().items.empty()) {
    list.Complain("expected at least one policy; take the field out for the default");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item(list.context(), items[i], Path(list.path(), i));
    auto policy = ReadPolicy(item, targets);
    if (!policy) continue;
    if (std::ranges::find(policies, policy->index(), &PolicyOptions::index) != policies.end()) {
      item.Complain(fmt::format("the policy {} is listed twice", PolicyOf(*policy).name));
      continue;
    }
    policies.push_back(*std::move(policy));
  }
  return policies;
}

}  // namespace tidegate::config
