// Recorded by Hugging Face's classes in float32, whose own noise against float64 is up to 5e-7 of a
// tensor's scale: 1e-5 leaves room for another order of summation and for nothing else.
#include <espalier/nn/encoder_parity.hpp>

#include <gtest/gtest.h>

#include <ATen/ops/full.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <limits>

#include "cases.hpp"

namespace espalier {
namespace {

std::string failures(const std::vector<TensorDifference>& rows) {
  std::string list;
  for (const TensorDifference& row : rows) {
    if (!row.ok()) list += row.name + " " + std::to_string(row.relative) + " " + row.failure + "\n";
  }
  return list;
}

void write(const std::filesystem::path& file, const NamedTensors& tensors) {
  write_tensors(file, {tensors.begin(), tensors.end()});
}

class EncoderCases : public testing::TestWithParam<const char*> {};

TEST_P(EncoderCases, AgreesWithTheReferenceInEveryTensor) {
  EXPECT_EQ(failures(encoder_parity(cases::encoder_case(GetParam()))), "");
}

TEST_P(EncoderCases, NoticesOneChangedNumber) {
  const cases::CaseCopy copy(cases::encoder_case(GetParam()));
  NamedTensors tensors = read_named_tensors(copy / "expected.safetensors");
  for (auto& [name, tensor] : tensors) tensor = tensor.clone();
  const std::string changed =
      tensors.contains("last_hidden_state") ? "last_hidden_state" : "last_hidden_state.vision";
  tensors.at(changed).view(-1)[3] += 1e-3;
  write(copy / "expected.safetensors", tensors);
  const auto rows = encoder_parity(copy.folder());
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return !row.ok(); }), 1);
  EXPECT_NE(failures(rows).find(changed), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Small, EncoderCases,
                         testing::Values("clip-tiny-gelu", "bert-tiny", "vit-tiny", "dinov2-tiny",
                                         "siglip-tiny", "mpnet-tiny", "clip-text-tiny",
                                         "clip-vision-tiny", "bert-decoder-tiny",
                                         "distilbert-tiny"));

TEST(EncoderParity, AgreesOnQuickGeluAndTheOldEndOfText) {
  const auto large = cases::large_cases();
  if (large.empty()) GTEST_SKIP() << "no large cases; set ESPALIER_DATA_DIR";
  EXPECT_EQ(failures(encoder_parity(large / "clip-tiny-quickgelu")), "");
}

TEST(EncoderParity, FailsOnWhatItDoesNotCompute) {
  const cases::CaseCopy copy(cases::encoder_case("vit-tiny"));
  NamedTensors tensors = read_named_tensors(copy / "expected.safetensors");
  tensors["attentions.0"] = at::full({2}, 1.0);
  tensors["last_hidden_state"] = tensors.at("last_hidden_state").narrow(1, 0, 3);
  write(copy / "expected.safetensors", tensors);
  const std::string found = failures(encoder_parity(copy.folder()));
  EXPECT_NE(found.find("attentions.0 0.000000 missing"), std::string::npos) << found;
  EXPECT_NE(found.find("last_hidden_state 0.000000 shape [4, 17, 48] where [4, 3, 48]"),
            std::string::npos)
      << found;
}

TEST(EncoderParity, NeverPassesNaN) {
  const at::Tensor good = at::full({2}, 1.0);
  const at::Tensor bad = at::full({2}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(compare_tensors("x", good, bad, 1e9).ok());
  EXPECT_FALSE(compare_tensors("x", bad, bad, 1e9).ok());
  EXPECT_TRUE(compare_tensors("x", good, good, 0.0).ok());
}

TEST(EncoderParity, RefusesACaseThatExpectsNothing) {
  const cases::CaseCopy copy(cases::encoder_case("vit-tiny"));
  NamedTensors tensors = read_named_tensors(copy / "expected.safetensors");
  write(copy / "expected.safetensors", {{"pixel_values", tensors.at("pixel_values")}});
  EXPECT_THROW((void)encoder_parity(copy.folder()), Error);
}

}  // namespace
}  // namespace espalier
