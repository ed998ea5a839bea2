// Union-find (Tarjan 1975): which nodes hang together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace espalier {

class DisjointSets {
 public:
  explicit DisjointSets(std::int64_t nodes)
      : parent_(static_cast<std::size_t>(nodes)), size_(parent_.size(), 1) {
    std::iota(parent_.begin(), parent_.end(), std::int64_t{0});
  }

  // The smallest node of its set.
  [[nodiscard]] std::int64_t root(std::int64_t node) {
    while (of(node) != node) node = of(node) = of(of(node));
    return node;
  }
  void join(std::int64_t a, std::int64_t b) {
    a = root(a);
    b = root(b);
    if (a == b) return;
    const auto [first, second] = std::minmax(a, b);
    of(second) = first;
    auto& size = size_[static_cast<std::size_t>(first)];
    size += size_[static_cast<std::size_t>(second)];
    largest_ = std::max(largest_, size);
  }
  // Nodes of the largest set of those that were joined, at least 1.
  [[nodiscard]] std::int64_t largest() const noexcept { return largest_; }

 private:
  std::int64_t& of(std::int64_t node) { return parent_[static_cast<std::size_t>(node)]; }

  std::vector<std::int64_t> parent_;
  std::vector<std::int64_t> size_;
  std::int64_t largest_ = 1;
};

}  // namespace espalier
