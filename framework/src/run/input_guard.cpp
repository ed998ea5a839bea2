#include "run/input_guard.hpp"

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

Problem changed(const TrialInput& input, const std::string& found) {
  return {.what = "\"" + input.name + "\" changed while the sweep ran",
          .where = input.path.string(),
          .expected = "what was there when the sweep began",
          .found = found,
          .fix = "run the same command again: what is there now gets trials of its own"};
}

}  // namespace

bool InputGuard::unchanged(const TrialInput& input) {
  const ContentScope scope = input.content.scope;
  const std::uint64_t mark = content_mark(input.path, scope);
  if (mark == input.content.mark) return true;
  const std::pair place(input.path, scope);
  const auto seen = seen_.find(place);
  const bool hashed = seen != seen_.end() && seen->second.mark == mark;
  const HashedContent now = hashed ? seen->second : hasher_.content(input.path, scope);
  seen_[place] = now;
  return now.digest == input.content.digest;
}

void InputGuard::check(std::span<const TrialInput> inputs) {
  Problems problems;
  for (const TrialInput& input : inputs) try {
      if (!unchanged(input)) problems.add(changed(input, "another content"));
    } catch (const Error& error) {
      problems.add(changed(input, error.problems().front().what));
    }
  problems.throw_if_any();
}

InputGuard::Names InputGuard::names_of(std::span<const TrialInput> inputs) {
  Names names;
  for (const TrialInput& input : inputs) names.emplace_back(input.name, input.content.digest);
  return names;
}

void InputGuard::check_at_end(std::span<const TrialInput> inputs) {
  Names names = names_of(inputs);
  if (passed_.contains(names)) return;
  check(inputs);
  passed_.insert(std::move(names));
}

}  // namespace espalier
