#include <algorithm>
#include <espalier/caption/leakage.hpp>
#include <espalier/core/error.hpp>
#include <limits>

namespace espalier {

NameLeakage name_leakage(std::span<const std::string> texts, std::span<const std::int64_t> labels,
                         const ClassNames& names) {
  ESPALIER_ASSERT(texts.size() == labels.size(), "one label a text");
  std::int64_t count = 0, own = 0, any = 0, other = 0, one = 0, right = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    const std::vector<std::int64_t> named = names.named(texts[i]);
    const bool has_own = std::find(named.begin(), named.end(), labels[i]) != named.end();
    ++count;
    own += has_own ? 1 : 0;
    any += named.empty() ? 0 : 1;
    other += named.size() > (has_own ? 1u : 0u) ? 1 : 0;
    one += named.size() == 1 ? 1 : 0;
    right += named.size() == 1 && has_own ? 1 : 0;
  }
  const auto share = [](std::int64_t some, std::int64_t all) {
    return all == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(some) / static_cast<double>(all);
  };
  return {.captions = count,
          .own = share(own, count),
          .any = share(any, count),
          .other = share(other, count),
          .coverage = share(one, count),
          .accuracy = share(right, one)};
}

}  // namespace espalier
