// A small archive of photos, written to a folder of its own for each test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <espalier/image/png.hpp>
#include <espalier/plugin/dataset.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "plugin_support.hpp"

namespace espalier::testing_support {

class ArchiveTest : public testing::Test {
 protected:
  explicit ArchiveTest(std::string component) : component_(std::move(component)) {}

  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::temp_directory_path() /
            ("espalier_" + std::to_string(::getpid()) + "_" + component_ + "_" + info->name());
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void put(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << bytes;
  }
  // A PNG, whatever the name says.
  void photo(const std::string& name) const {
    put(name, encode_png({4, 3, std::vector<std::uint8_t>(36, 7)}));
  }
  [[nodiscard]] std::string bytes_of(const std::string& name) const {
    std::ifstream file(root_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  [[nodiscard]] std::shared_ptr<Dataset> load(Json params = Json::object()) const {
    params["root"] = root_.string();
    return make<Dataset>(component_, params);
  }
  [[nodiscard]] std::string load_error(const Json& params = Json::object()) const {
    return error_of([&] { (void)load(params); });
  }
  // `train apple_1.jpg 0` for each sample.
  [[nodiscard]] static std::vector<std::string> listed(const Dataset& data) {
    std::vector<std::string> lines;
    for (const Sample& sample : data.samples()) {
      lines.push_back(std::string(to_string(sample.split)) + " " + sample.id + " " +
                      std::to_string(sample.label));
    }
    return lines;
  }
  // Each file cut at 20 places, with a flipped byte at each, empty, absent and as a folder: an
  // Error or a dataset, and an Error for the last three.
  void damage(const std::vector<std::string>& names) const {
    const auto is_read_or_refused = [&](const std::string& damage) {
      const std::string text = load_error();
      EXPECT_TRUE(text.empty() || text.find(root_.string()) != std::string::npos)
          << damage << ": " << text;
    };
    for (const std::string& name : names) {
      const std::string whole = bytes_of(name);
      for (std::size_t i = 0; i < 20; ++i) {
        const std::size_t place = i * whole.size() / 20;
        put(name, whole.substr(0, place));
        is_read_or_refused(name + " cut at " + std::to_string(place));
        std::string flipped = whole;
        flipped[place] = static_cast<char>(flipped[place] ^ 0x14);
        put(name, flipped);
        is_read_or_refused(name + " changed at " + std::to_string(place));
      }
      put(name, "");
      EXPECT_NE(load_error(), "") << name << " empty";
      std::filesystem::remove(root_ / name);
      EXPECT_THAT(load_error(), testing::HasSubstr(name)) << name << " absent";
      std::filesystem::create_directories(root_ / name);
      EXPECT_THAT(load_error(), testing::HasSubstr(name)) << name << " as a folder";
      std::filesystem::remove(root_ / name);
      put(name, whole);
    }
  }

  // The real archive `name`, or an empty path where there is none.
  [[nodiscard]] static std::filesystem::path real(const std::string& name) {
    const char* given = std::getenv("ESPALIER_DATA_DIR");
    const std::filesystem::path data =
        given != nullptr ? given : std::filesystem::path(ESPALIER_SOURCE_DIR) / "../shared/data";
    return std::filesystem::is_directory(data / name) ? data / name : std::filesystem::path();
  }

  std::string component_;
  std::filesystem::path root_;
};

}  // namespace espalier::testing_support
