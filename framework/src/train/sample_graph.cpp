#include "train/sample_graph.hpp"

#include "train/query_graph.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/graph/receivers.hpp>
#include <utility>

namespace espalier {

AttachedSamples::AttachedSamples(std::span<const std::size_t> train, GraphMaker maker)
    : graph_(std::move(maker), train), nodes_(train.begin(), train.end()), own_(graph_.graph()) {
  ESPALIER_ASSERT(own_.targets == std::ssize(nodes_), "a node a sample");
  for (const std::int64_t sample : nodes_) node_of_.emplace(sample, std::ssize(node_of_));
  own_.source_degree = in_degree(own_);
}

CsrGraph AttachedSamples::rows(std::span<const std::int64_t> samples) const {
  if (!std::ranges::equal(samples, asked_)) {
    rows_ = found(samples);
    asked_.assign(samples.begin(), samples.end());
  }
  return rows_;
}

CsrGraph AttachedSamples::found(std::span<const std::int64_t> samples) const {
  std::vector<std::size_t> queries;
  std::vector<std::int64_t> places;
  for (const std::int64_t sample : samples) {
    const auto node = node_of_.find(sample);
    if (node != node_of_.end()) {
      places.push_back(node->second);
    } else {
      places.push_back(own_.targets + std::ssize(queries));
      queries.push_back(static_cast<std::size_t>(sample));
    }
  }
  const CsrGraph all = queries.empty() ? own_ : stacked(own_, graph_.attach(queries));
  return query_block(all, places, 1, own_.sources);
}

}  // namespace espalier
