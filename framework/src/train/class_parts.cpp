#include "train/class_parts.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <limits>
#include <numeric>
#include <span>

namespace espalier {

ClassParts::ClassParts(std::int64_t classes, std::int64_t parts, std::int64_t seed) {
  if (parts > 1 && classes < 2 * parts) {
    throw Error(
        {.what = "protocol.tasks divides the classes into parts that are too small",
         .where = {},
         .expected = "at least 2 classes a task, so at most " +
                     std::to_string(std::max<std::int64_t>(1, classes / 2)) + " tasks",
         .found = std::to_string(classes) + " classes in " + std::to_string(parts) + " tasks",
         .fix = "fewer tasks"});
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  if (parts > 1) Random(seed, "tasks").shuffle(std::span(order));
  part_of_.resize(order.size());
  auto next = order.begin();
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t size = classes / parts + (part < classes % parts ? 1 : 0);
    auto& labels = parts_.emplace_back(next, next + size);
    std::sort(labels.begin(), labels.end());
    next += size;
    for (const std::int64_t label : labels) {
      part_of_[static_cast<std::size_t>(label)] = static_cast<std::size_t>(part);
    }
  }
}

std::vector<std::int64_t> ClassParts::labels_until(std::size_t part) const {
  std::vector<std::int64_t> all;
  for (std::size_t p = 0; p <= part; ++p) all.insert(all.end(), parts_[p].begin(), parts_[p].end());
  std::sort(all.begin(), all.end());
  return all;
}

LabelledSamples ClassParts::of_part(const LabelledSamples& samples, std::size_t part) const {
  LabelledSamples some;
  for (std::size_t i = 0; i < samples.samples.size(); ++i) {
    if (part_of(samples.labels[i]) != part) continue;
    some.samples.push_back(samples.samples[i]);
    some.labels.push_back(samples.labels[i]);
  }
  return some;
}

at::Tensor ClassParts::told(const at::Tensor& logits,
                            const std::vector<std::int64_t>& labels) const {
  const at::Tensor mask = at::zeros({std::ssize(labels), logits.size(1)}, at::kFloat);
  float* const values = mask.data_ptr<float>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    for (std::size_t c = 0; c < part_of_.size(); ++c) {
      if (part_of_[c] == part_of(labels[i])) continue;
      values[i * part_of_.size() + c] = -std::numeric_limits<float>::infinity();
    }
  }
  return logits + mask.to(logits.device());
}

}  // namespace espalier
