#include "results/metrics_columns.hpp"
#include <utility>

namespace espalier {

void MetricsColumns::add(std::span<const EpochMetrics> rows) {
  for (const EpochMetrics& row : rows) {
    epoch.push_back(row.epoch);
    step.push_back(row.step);
    split.push_back(row.split);
    loss.push_back(row.loss);
    top1.push_back(row.top1);
    lr.push_back(row.lr);
    wall_s.push_back(row.wall_s);
  }
}

void MetricsColumns::move_to(Table& table) && {
  table.add("epoch", std::move(epoch));
  table.add("step", std::move(step));
  table.add("split", std::move(split));
  table.add("loss", std::move(loss));
  table.add("top1", std::move(top1));
  table.add("lr", std::move(lr));
  table.add("wall_s", std::move(wall_s));
}

}  // namespace espalier
