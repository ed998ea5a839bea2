#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>

#include "cases.hpp"
#include "libtorch_threads.hpp"
#include "small_model.hpp"

namespace espalier {
namespace {

using cases::difference;

// The rows of `ids` without what the mask leaves out.
std::vector<std::vector<std::int64_t>> lists(const NamedTensors& inputs) {
  const at::Tensor& ids = inputs.at("input_ids");
  std::vector<std::vector<std::int64_t>> rows;
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto mask = inputs.find("attention_mask");
    const std::int64_t count =
        mask == inputs.end() ? ids.size(1) : mask->second[i].sum().item<std::int64_t>();
    const auto* row = ids[i].data_ptr<std::int64_t>();
    rows.emplace_back(row, row + count);
  }
  return rows;
}

struct Expectation {
  const char* name;
  const char* tensor;
};

class TextCases : public testing::TestWithParam<Expectation> {};

// Cut at the end of text, one by one: what the padded batch gave. 1e-5 as for every tensor of a
// case; values are of order one.
TEST_P(TextCases, EqualThoseOfThePaddedBatch) {
  const auto folder = cases::encoder_case(GetParam().name);
  const auto encoder = load_pretrained(folder);
  NamedTensors inputs = read_named_tensors(folder / "expected.safetensors");
  auto ids = lists(inputs);
  at::Tensor expected = inputs.at(GetParam().tensor);
  if (std::string(GetParam().name) == "bert-tiny") {  // the last text is a pair
    ids.pop_back();
    expected = expected.narrow(0, 0, expected.size(0) - 1);
  }
  if (std::string(GetParam().name) == "siglip-tiny") {
    const at::Tensor raw = text_features(*encoder->text(), ids);
    EXPECT_LT(difference(raw, inputs.at("pooler_output.text")), 1e-5);
    return;
  }
  EXPECT_LT(difference(text_features(*encoder->text(), ids), expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, TextCases,
                         testing::Values(Expectation{"clip-tiny-gelu", "text_embeds_raw"},
                                         Expectation{"bert-tiny", "sentence_embedding"},
                                         Expectation{"mpnet-tiny", "mean_pooled"},
                                         Expectation{"siglip-tiny", "pooler_output.text"}),
                         [](const auto& one) {
                           const std::string name = one.param.name;
                           return name.substr(0, name.find('-'));
                         });

// Numbers of threads by which LibTorch and the BLAS would divide a product.
class Threads {
 public:
  explicit Threads(int count) { testing_support::set_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { testing_support::set_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

TEST(Features, OfAnImageAreTheSameBitsAloneAndInABatch) {
  for (const char* name : {"clip-tiny-gelu", "siglip-tiny", "vit-tiny", "dinov2-tiny"}) {
    const auto encoder = load_pretrained(cases::encoder_case(name));
    const at::Tensor pixels =
        read_named_tensors(cases::encoder_case(name) / "expected.safetensors").at("pixel_values");
    for (const int count : {1, 2, 3}) {
      const Threads threads(count);
      const at::Tensor all = image_features(*encoder->image(), pixels);
      EXPECT_TRUE(at::equal(image_features(*encoder->image(), pixels.flip(0)), all.flip(0)))
          << name << " backwards on " << count;
      for (std::int64_t i = 0; i < pixels.size(0); ++i) {
        const at::Tensor one = image_features(*encoder->image(), pixels.narrow(0, i, 1));
        EXPECT_TRUE(at::equal(one[0], all[i])) << name << " " << i << " on " << count;
      }
    }
  }
}

TEST_P(TextCases, AreTheSameBitsAloneAndInABatch) {
  const auto folder = cases::encoder_case(GetParam().name);
  const auto encoder = load_pretrained(folder);
  const auto ids = lists(read_named_tensors(folder / "expected.safetensors"));
  for (const int count : {1, 2, 3}) {
    const Threads threads(count);
    const at::Tensor all = text_features(*encoder->text(), ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const at::Tensor one = text_features(*encoder->text(), std::span(&ids[i], 1));
      EXPECT_TRUE(at::equal(one[0], all[static_cast<std::int64_t>(i)])) << i << " on " << count;
    }
  }
}

TEST(Features, OfNothingAreNothing) {
  const auto encoder = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  EXPECT_EQ(text_features(*encoder->text(), {}).sizes().vec(), (std::vector<std::int64_t>{0, 20}));
}

TEST(Features, RefuseIdsThatTheModelCannotHave) {
  const auto encoder = load_pretrained(cases::encoder_case("clip-tiny-gelu"));
  const auto features = [&](std::vector<std::int64_t> ids) {
    const std::vector<std::vector<std::int64_t>> texts = {std::move(ids)};
    return text_features(*encoder->text(), texts);
  };
  EXPECT_THROW((void)features({}), Error);
  EXPECT_THROW((void)features({1, 1000, 998}), Error);
  EXPECT_THROW((void)features({-1, 998}), Error);
  std::vector<std::int64_t> late(90, 5);
  late.back() = 998;
  EXPECT_THROW((void)features(late), Error);
}

TEST(Features, InBfloat16StayNearThoseInFloat32) {
  const auto folder = cases::encoder_case("clip-tiny-gelu");
  const auto encoder =
      load_pretrained(folder, {.families = {}, .device = "cpu", .precision = "bfloat16"});
  const NamedTensors inputs = read_named_tensors(folder / "expected.safetensors");
  const c10::AutoGradMode no_grad(false);
  const at::Tensor features = image_features(*encoder->image(), inputs.at("pixel_values"));
  EXPECT_EQ(features.scalar_type(), at::kFloat);
  // Eight bits of mantissa: 2^-8 = 0.004 a rounding, values up to 1.3, a dozen roundings in a row.
  EXPECT_LT(difference(features, inputs.at("image_embeds_raw")), 0.05);
}

}  // namespace
}  // namespace espalier
