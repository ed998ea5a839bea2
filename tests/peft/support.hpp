// The tiny CLIP of tests/data/peft, and a folder that goes with its test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/pretrained.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace espalier::peft_test {

namespace fs = std::filesystem;

inline fs::path data() { return fs::path(ESPALIER_SOURCE_DIR) / "tests/data/peft"; }

inline std::unique_ptr<AdaptableEncoder> clip() { return load_pretrained(data() / "base"); }

// What an Error that is thrown says, all of it; empty where none is.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() / ("espalier-peft-" + std::to_string(::getpid()) + "-" +
                                           std::to_string(next()))) {
    fs::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  static int next() {
    static int count = 0;
    return count++;
  }
  fs::path path_;
};

}  // namespace espalier::peft_test
