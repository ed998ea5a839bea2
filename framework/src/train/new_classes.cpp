#include "train/new_classes.hpp"

#include "train/evaluation.hpp"
#include "train/test_set.hpp"
#include <utility>

namespace espalier {
namespace {

Sources of_new_classes(Sources sources, std::size_t count) {
  sources.first_class = sources.class_count;
  sources.class_count = count;
  return sources;
}

TestSet::Logits answers_of(const Network& network, const Sources& sources,
                           const Protocol& protocol) {
  return [&](std::span<const std::size_t> samples) {
    StateBank bank;
    return Evaluation(network, sources, protocol, bank)
        .answers(protocol.scenes(samples), std::ssize(samples));
  };
}

// Of pictures as the encoder gives them: head.use: zero_shot.
double zero_shot_top1(const NewClasses& classes) {
  const Sources sources = of_new_classes(classes.loaded.sources, classes.names.size());
  Parameters none;
  const Network network(
      {.fusion = make_fusion({.fuse = "image", .normalize = false}, classes.loaded.widths, true),
       .gnn = no_network(),
       .gnn_name = "zero-shot",
       .head =
           make_head({.use = "zero_shot", .average = classes.head.average}, classes.loaded.space)},
      std::ssize(classes.names), 0, none);
  const auto protocol = no_graph({}, 1);
  return TestSet(classes.test, classes.ids)
      .evaluate(answers_of(network, sources, *protocol))
      .metrics.top1;
}

double harmonic_mean(double a, double b) { return a + b > 0 ? 2 * a * b / (a + b) : 0; }

}  // namespace

void judge_new_classes(NewClasses classes, const Network& network, const Protocol& protocol,
                       TrialResult& result) {
  if (classes.loaded.sources.images) result.new_zero_shot_top1 = zero_shot_top1(classes);
  const Sources sources = of_new_classes(classes.adapted, classes.names.size());
  TestSet::Verdict verdict = TestSet(std::move(classes.test), std::move(classes.ids), "test_new")
                                 .evaluate(answers_of(network, sources, protocol));
  result.new_top1 = verdict.metrics.top1;
  result.harmonic_mean = harmonic_mean(result.test_top1, result.new_top1);
  result.forgetting = result.new_zero_shot_top1 - result.new_top1;
  result.predictions.push_back(std::move(verdict.predictions));
  result.new_class_names = std::move(classes.names);
}

}  // namespace espalier
