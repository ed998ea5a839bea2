#include "train/text_probe.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <espalier/caption/tf_idf.hpp>
#include <espalier/core/error.hpp>
#include <espalier/peft/logistic_regression.hpp>
#include <limits>
#include <map>

namespace espalier {
namespace {

constexpr std::size_t folds = 5;
constexpr std::size_t fewest_texts = 2;
constexpr std::size_t most_words = 2000;
constexpr double c = 10;
constexpr double tolerance = 1e-5;

// The part that each text is in.
std::vector<std::size_t> dealt(std::span<const std::int64_t> labels) {
  std::map<std::int64_t, std::size_t> seen;
  std::vector<std::size_t> parts;
  for (const std::int64_t label : labels) parts.push_back(seen[label]++ % folds);
  return parts;
}

at::Tensor rows_of(const TfIdf& words, std::span<const std::string> texts,
                   const std::vector<std::size_t>& chosen) {
  at::Tensor rows = at::zeros({std::ssize(chosen), static_cast<std::int64_t>(words.width())});
  float* row = rows.data_ptr<float>();
  for (const std::size_t text : chosen) {
    for (const auto& [column, value] : words.row(texts[text])) {
      row[column] = static_cast<float>(value);
    }
    row += words.width();
  }
  return rows;
}

}  // namespace

TextProbe probe_texts(std::span<const std::string> texts, std::span<const std::int64_t> labels,
                      std::int64_t classes) {
  ESPALIER_ASSERT(texts.size() == labels.size(), "one label a text");
  TextProbe probe{.predicted = std::vector<std::int64_t>(texts.size(), -1),
                  .accuracy = std::numeric_limits<double>::quiet_NaN()};
  const std::vector<std::size_t> parts = dealt(labels);
  std::int64_t right = 0;
  for (std::size_t part = 0; part < folds; ++part) {
    std::vector<std::size_t> learnt, asked;
    std::vector<std::string> of_learnt;
    std::vector<std::int64_t> known;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (parts[i] == part) {
        asked.push_back(i);
        continue;
      }
      learnt.push_back(i);
      of_learnt.push_back(texts[i]);
      known.push_back(labels[i]);
    }
    if (asked.empty() || learnt.empty()) continue;
    const TfIdf words(of_learnt, fewest_texts, most_words);
    const LogisticRegression regression(rows_of(words, texts, learnt), at::tensor(known), classes);
    const LogisticFit fit = regression.fit(c, tolerance);
    const at::Tensor scores = at::matmul(rows_of(words, texts, asked), fit.weight.t()) + fit.bias;
    const at::Tensor best = at::argmax(scores, 1);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const auto predicted = best[static_cast<std::int64_t>(i)].item<std::int64_t>();
      probe.predicted[asked[i]] = predicted;
      right += predicted == labels[asked[i]] ? 1 : 0;
    }
  }
  if (!texts.empty()) {
    probe.accuracy = static_cast<double>(right) / static_cast<double>(texts.size());
  }
  return probe;
}

}  // namespace espalier
