// The diagonal of the Fisher information of a classifier, at its parameters as they are.
#pragma once

#include "train/training.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <functional>
#include <optional>
#include <vector>

namespace espalier {

// With what labels, for training samples x_n and parameters theta:
//   expected   F_i = mean_n sum_c p(c | x_n) (d log p(c | x_n) / d theta_i)^2, the information
//   sampled    the same with one c drawn from p(. | x_n) instead of the sum, which it equals in the
//              mean over draws
//   empirical  F_i = mean_n (d log p(y_n | x_n) / d theta_i)^2, with the labels y_n that are given
// (Kunstner, Balles and Hennig 2019 on how they differ).
enum class FisherLabels { expected, sampled, empirical };

struct FisherOptions {
  FisherLabels labels = FisherLabels::expected;
  std::int64_t samples = 0;  // training samples, drawn; 0: all
  std::int64_t seed = 1;     // of the draws
};

// How far it is, called after every sample; false stops it.
using FisherProgress = std::function<bool(std::int64_t done, std::int64_t all)>;

// Of every parameter a tensor of its shape, by name. p is that of the task's classes, outside of
// training; where samples share a graph, a sample's probability depends on all that stand in it,
// and so does its gradient. One backward pass a sample and label. Gradients of the parameters are
// cleared. Empty: stopped.
[[nodiscard]] std::optional<std::vector<Parameters::Entry>> fisher_information(
    const Task& task, const FisherOptions& options, const FisherProgress& progress);

}  // namespace espalier
