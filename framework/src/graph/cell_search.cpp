#include <espalier/graph/cell_search.hpp>

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace espalier {
namespace {

std::vector<std::int64_t> drawn_rows(std::int64_t rows, std::int64_t most, Random random) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  if (rows <= most) return all;
  random.shuffle(std::span(all));
  all.resize(static_cast<std::size_t>(most));
  return all;
}

}  // namespace

CellSearch::CellSearch(SimilaritySearch exact, const at::Tensor& centroids, std::int64_t probes)
    : exact_(std::move(exact)),
      centroids_(centroids, exact_.metric()),
      probes_(probes),
      rows_(static_cast<std::size_t>(centroids_.size())) {
  const Neighbours probed = centroids_.nearest(exact_.features(), probes_);
  for (std::size_t i = 0; i < probed.size(); ++i) {
    rows_[static_cast<std::size_t>(probed[i].front().index)].push_back(
        static_cast<std::int64_t>(i));
  }
  askers_ = askers(probed);
}

Cells CellSearch::askers(const Neighbours& probed) const {
  Cells cells(rows_.size());
  for (std::size_t q = 0; q < probed.size(); ++q) {
    for (const Neighbour& cell : probed[q]) {
      cells[static_cast<std::size_t>(cell.index)].push_back(static_cast<std::int64_t>(q));
    }
  }
  return cells;
}

Neighbours CellSearch::nearest(const at::Tensor& queries, std::int64_t k) const {
  return exact_.nearest_in(rows_, askers(centroids_.nearest(queries, probes_)), queries, k);
}

Neighbours CellSearch::nearest_others(std::int64_t k) const {
  return exact_.nearest_others_in(rows_, askers_, k);
}

double CellSearch::recall(const Neighbours& found, std::int64_t k, std::int64_t most,
                          Random random) const {
  const std::vector<std::int64_t> sample = drawn_rows(size(), most, std::move(random));
  const Neighbours real = exact_.nearest_others(sample, k);
  std::int64_t all = 0, kept = 0;
  for (std::size_t s = 0; s < sample.size(); ++s) {
    const auto& list = found[static_cast<std::size_t>(sample[s])];
    all += std::ssize(real[s]);
    kept += std::count_if(real[s].begin(), real[s].end(), [&](const Neighbour& n) {
      return std::find(list.begin(), list.end(), n) != list.end();
    });
  }
  return all == 0 ? 1.0 : static_cast<double>(kept) / static_cast<double>(all);
}

}  // namespace espalier
