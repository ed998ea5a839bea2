// The linear head on given features, trained to its end, is logistic regression.
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>

#include <vector>

#include "train/small_world.hpp"
#include "train/test_set.hpp"

namespace espalier {
namespace {

std::vector<std::int64_t> values_of(const at::Tensor& labels) {
  const at::Tensor list = labels.contiguous();
  return {list.data_ptr<std::int64_t>(), list.data_ptr<std::int64_t>() + list.numel()};
}

// scikit-learn 1.9, no regularisation, 600 samples of 5 classes that overlap: the optimum is
// finite. All photos and none to choose by: the last epoch counts. 2000 epochs of the loop come
// within 1e-4 of the loss; half a point of accuracy is what is promised.
TEST(LinearHead, EqualsLogisticRegression) {
  const golden::Case reference("logistic");
  const at::Tensor x = reference["x_train"];
  const at::Tensor queries = reference["x_test"];
  const auto count = static_cast<std::size_t>(x.size(0));
  const auto all = count + static_cast<std::size_t>(queries.size(0));
  const Sources sources{
      .images = std::make_shared<FrozenSource>(at::cat({x, queries}), small_world::range(0, all))};
  const auto protocol = no_graph(small_world::range(0, count), 1);
  Parameters parameters;
  Network network({make_fusion({.fuse = "image", .normalize = false}, {.images = x.size(1)}, false),
                   no_network(), "gnn/none", make_head({.use = "linear"}, {})},
                  5, 1, parameters);
  Training training({network,
                     parameters,
                     sources,
                     *protocol,
                     {small_world::range(0, count), values_of(reference["y_train"])},
                     {}},
                    {.epochs = 2000, .lr = 0.05, .weight_decay = 0}, 1);
  while (!training.finished()) training.next();
  EXPECT_EQ(training.progress().best_epoch, 2000) << "the last";
  EXPECT_NEAR(training.progress().metrics.back().loss,
              reference.meta.at("train_loss").get<double>(), 1e-4);

  StateBank bank;
  const at::Tensor logits =
      Evaluation(network, sources, *protocol, bank)
          .answers(protocol->scenes(small_world::range(count, all)), queries.size(0));
  EXPECT_NEAR(metrics_of(logits, values_of(reference["y_test"])).top1,
              reference.meta.at("test_accuracy").get<double>(), 0.005);
  EXPECT_LT(golden::error(at::softmax(logits, 1), reference["probabilities"]), 0.01);
}

}  // namespace
}  // namespace espalier
