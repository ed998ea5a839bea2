#include <espalier/peft/merge.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>

#include "support.hpp"

namespace espalier {
namespace {

using peft_test::Folder;
using peft_test::refusal;
using testing::HasSubstr;

TEST(WriteMerged, WritesTheModelWithWhatWasReplaced) {
  const Folder folder;
  const auto encoder = peft_test::clip();
  const WeightSlot& weight = encoder->weights()[5];
  *weight.slot = weight.frozen + 1;
  const auto base = peft_test::data() / "base";
  EXPECT_EQ(write_merged(base, *encoder, folder / "merged"), 1);
  const auto merged = load_pretrained(folder / "merged");
  const auto clean = peft_test::clip();
  for (std::size_t i = 0; i < merged->weights().size(); ++i) {
    const at::Tensor before = clean->weights()[i].frozen;
    EXPECT_TRUE(at::equal(merged->weights()[i].frozen, i == 5 ? before + 1 : before));
  }
  EXPECT_EQ(read_file(folder / "merged/config.json"), read_file(base / "config.json"));
  EXPECT_EQ(SafeTensors::open_folder(folder / "merged").names().size(),
            SafeTensors::open_folder(base).names().size());
}

TEST(WriteMerged, LeavesAFolderThatHoldsSomethingAlone) {
  const Folder folder;
  write_file(folder / "note.txt", "mine");
  const auto encoder = peft_test::clip();
  EXPECT_THAT(refusal([&] {
                (void)write_merged(peft_test::data() / "base", *encoder, folder.path());
              }),
              HasSubstr("there already"));
  EXPECT_EQ(read_file(folder / "note.txt"), "mine");
}

}  // namespace
}  // namespace espalier
