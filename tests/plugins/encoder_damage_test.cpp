// Model folders as downloads, disks and editors leave them: every file cut, changed, emptied or
// replaced by something else gives an Error that says which file, or features that are sound.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/image/decode.hpp>
#include <espalier/plugin/encoder.hpp>
#include <fstream>

#include "nn/cases.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::make;

constexpr std::size_t places = 20;

struct Folder {
  const char* name;
  const char* plugin;
};

std::vector<std::string> files_of(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    const bool other = name.starts_with("expected") || name == "LICENSE";
    if (entry.is_regular_file() && !other) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class DamagedModel : public testing::TestWithParam<Folder> {
 protected:
  // The problems of loading the folder and of encoding a picture and a text, where it has a tower.
  [[nodiscard]] std::vector<Problem> problems() const try {
    const auto encoder = make<Encoder>(GetParam().plugin, {{"weights", copy_.folder().string()}});
    if (encoder->image_width() > 0) {
      EXPECT_TRUE(at::isfinite(encoder->encode_images(std::span(&picture_, 1))).all().item<bool>());
    }
    if (encoder->text_width() > 0 && has_tokenizer_) {
      const std::vector<std::string> texts = {"a photo of 12 wild, naïve flowers"};
      EXPECT_TRUE(at::isfinite(encoder->encode_texts(texts)).all().item<bool>());
    }
    return {};
  } catch (const Error& error) {
    return error.problems();
  }

  void put(const std::string& name, std::string_view bytes) const {
    std::ofstream(copy_ / name, std::ios::binary) << bytes;
  }
  // Each in the form that a person can act on.
  void expect_form(const std::vector<Problem>& list, const std::string& damage) const {
    EXPECT_LE(list.size(), 100u) << damage;
    for (const Problem& problem : list) {
      EXPECT_THAT(problem.where, HasSubstr(copy_.folder().string())) << damage;
      EXPECT_NE(problem.what, "") << damage;
      const bool counts = problem.what.find(" more tensors") != std::string::npos;
      EXPECT_TRUE(counts || !problem.expected.empty() || !problem.found.empty())
          << damage << ": " << problem.what;
    }
  }
  void expect_named(const std::string& file, const std::string& damage) const {
    const auto list = problems();
    expect_form(list, damage);
    const auto names = [&](const Problem& problem) {
      return problem.where.find(file) != std::string::npos ||
             problem.expected.find(file) != std::string::npos;
    };
    EXPECT_TRUE(std::any_of(list.begin(), list.end(), names)) << damage;
  }

  cases::CaseCopy copy_{cases::encoder_case(GetParam().name)};
  std::vector<std::string> files_ = files_of(copy_.folder());
  bool has_tokenizer_ = fs::exists(copy_ / "vocab.json") || fs::exists(copy_ / "vocab.txt");
  Image picture_ = read_image(ESPALIER_SOURCE_DIR "/tests/data/images/gray.jpg");
};

// A list of tokens may be up to 127 shorter than the model's embedding.
bool is_padded(const std::string& name, std::string_view whole, std::size_t size) {
  const std::string_view lost = whole.substr(size);
  return name == "vocab.txt" && std::count(lost.begin(), lost.end(), '\n') <= 128;
}

TEST_P(DamagedModel, CutFilesAreRefused) {
  for (const std::string& name : files_) {
    const std::string whole = read_file(copy_ / name);
    for (std::size_t i = 0; i < places; ++i) {
      const std::size_t size = i * whole.size() / places;
      put(name, std::string_view(whole).substr(0, size));
      const auto list = problems();
      const std::string damage = name + " cut to " + std::to_string(size) + " bytes";
      expect_form(list, damage);
      EXPECT_TRUE(!list.empty() || is_padded(name, whole, size)) << damage;
    }
    put(name, whole);
  }
  EXPECT_THAT(problems(), testing::IsEmpty());
}

TEST_P(DamagedModel, ChangedBytesAreRefusedOrHarmless) {
  for (const std::string& name : files_) {
    const std::string whole = read_file(copy_ / name);
    for (std::size_t i = 0; i < 2 * places; ++i) {
      const std::size_t place = (i / 2) * whole.size() / places;
      std::string changed = whole;
      changed[place] = static_cast<char>(changed[place] ^ (i % 2 == 0 ? 0x14 : 0x80));
      put(name, changed);
      expect_form(problems(), name + " changed at byte " + std::to_string(place));
    }
    put(name, whole);
  }
}

TEST_P(DamagedModel, WhatIsNoFileIsNamed) {
  for (const std::string& name : files_) {
    const std::string whole = read_file(copy_ / name);
    fs::remove(copy_ / name);
    const bool optional = name == "modules.json" || name == "sentence_bert_config.json" ||
                          name == "special_tokens_map.json" || name == "tokenizer_config.json";
    if (!optional) expect_named(fs::path(name).filename(), name + " absent");
    fs::create_directory(copy_ / name);
    expect_named(name, name + " as a folder");
    fs::remove(copy_ / name);
    ASSERT_EQ(::mkfifo((copy_ / name).c_str(), 0600), 0);
    expect_named(name, name + " as a pipe");
    fs::remove(copy_ / name);
    put(name, whole);
  }
}

// What modules.json names is looked at once it can be read.
TEST_P(DamagedModel, EveryDamagedFileIsNamedAtOnce) {
  for (const std::string& name : files_) put(name, "\xff\n");
  const auto list = problems();
  for (const std::string& name : files_) {
    const auto names = [&](const Problem& problem) {
      return problem.where.find("/" + name) != std::string::npos;
    };
    const bool later = name.find('/') != std::string::npos;
    EXPECT_NE(std::any_of(list.begin(), list.end(), names), later) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, DamagedModel,
                         testing::Values(Folder{"clip-tiny-gelu", "clip"},
                                         Folder{"clip-vision-tiny", "clip"},
                                         Folder{"siglip-tiny", "siglip"}, Folder{"vit-tiny", "vit"},
                                         Folder{"dinov2-tiny", "dinov2"},
                                         Folder{"bert-tiny", "bert"}, Folder{"mpnet-tiny", "bert"}),
                         [](const auto& one) {
                           std::string name = one.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace espalier
