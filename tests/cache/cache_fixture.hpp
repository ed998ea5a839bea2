// A cache in a folder of its own, with rows of one number.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "cache/stage_entry.hpp"
#include <cstring>
#include <espalier/core/hash.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace espalier {

using Ids = std::vector<std::string>;

class CacheTest : public testing::Test {
 protected:
  CacheTest() {
    std::string name = (std::filesystem::temp_directory_path() / "espalier-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    cache_ = folder_ / "cache";
  }
  ~CacheTest() override { std::filesystem::remove_all(folder_); }

  static Json about(const std::string& name) {
    return {{"inputs", {{"name", name}}}, {"config", {{"dataset", {{"use", name}}}}}};
  }
  static std::string key(const std::string& name) {
    return hex(sha256(canonical_json(about(name)["inputs"])));
  }

  [[nodiscard]] StageEntry open(const std::string& name = "flora", std::int64_t limit = unlimited) {
    const auto warn = [this](const std::string& text) { warnings_.push_back(text); };
    return {
        {.cache = cache_, .limit = limit, .warn = warn}, "image_features", key(name), about(name)};
  }
  [[nodiscard]] std::filesystem::path entry(const std::string& name = "flora") const {
    return cache_ / "image_features" / key(name);
  }
  [[nodiscard]] std::filesystem::path part(int number, const std::string& name = "flora") const {
    return entry(name) / ("part-" + std::to_string(number) + ".safetensors");
  }

  static void add(StageEntry& entry, const Ids& ids, const std::vector<float>& rows) {
    const TensorView view{.name = "rows",
                          .dtype = DType::f32,
                          .shape = {static_cast<std::int64_t>(rows.size())},
                          .data = reinterpret_cast<const std::byte*>(rows.data()),
                          .bytes = rows.size() * sizeof(float)};
    entry.add(ids, std::span(&view, 1));
  }
  // An entry with two parts.
  void fill(const std::string& name = "flora") {
    StageEntry entry = open(name);
    StageEntry::Claims claims(entry, Ids{"4", "2", "9"});
    EXPECT_EQ(claims.next(2), (Ids{"4", "2"}));
    add(entry, {"4", "2"}, {0.4F, 0.2F});
    EXPECT_EQ(claims.next(2), (Ids{"9"}));
    add(entry, {"9"}, {0.9F});
  }
  static float value(const StageEntry& entry, const std::string& id) {
    const StageEntry::Place place = entry.find(id);
    float out = 0;
    std::memcpy(&out, place.part->at("rows").data + place.row * sizeof out, sizeof out);
    return out;
  }

  // Part 0 in ways that a disk or a person may leave it.
  enum class Damage { flipped, cut, empty, folder, foreign };
  static constexpr Damage damages[] = {Damage::flipped, Damage::cut, Damage::empty, Damage::folder,
                                       Damage::foreign};
  void damage(Damage how) const {
    namespace fs = std::filesystem;
    const fs::path file = part(0);
    if (how == Damage::flipped) {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekp(-1, std::ios::end);
      stream.put('\x55');
    }
    if (how == Damage::cut) fs::resize_file(file, fs::file_size(file) / 2);
    if (how == Damage::empty) fs::resize_file(file, 0);
    if (how == Damage::folder) {
      fs::remove(file);
      fs::create_directories(file / "inside");
    }
    if (how == Damage::foreign) std::ofstream(file) << "nonsense";
  }
  // Part 0 as a later version might write it.
  void make_newer() const {
    const SafeTensors file = SafeTensors::open(part(0));
    std::map<std::string, std::string> metadata = file.metadata();
    metadata.at("stage_part") = "3";
    write_safetensors(part(0), file.tensors(), metadata);
  }

  std::filesystem::path folder_;
  std::filesystem::path cache_;
  std::vector<std::string> warnings_;
};

}  // namespace espalier
