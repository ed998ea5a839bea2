// A temporary folder of plugins, made from the fixtures in tests/bad_plugins.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace espalier {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ESPALIER_BINARY_DIR) / "tests" / "bad_plugins" /
         (name + ".espalier.so");
}

class PluginFolder {
 public:
  PluginFolder() {
    static int count = 0;
    path_ = std::filesystem::canonical(testing::TempDir()) /
            ("plugins_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  PluginFolder(const PluginFolder&) = delete;
  PluginFolder& operator=(const PluginFolder&) = delete;
  ~PluginFolder() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    // A new file each time: a library that is loaded must not change under whoever loaded it.
    std::filesystem::remove(path_ / name);
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

  // A copy of a fixture.
  std::filesystem::path add(const std::string& name) const {
    return put(name + ".espalier.so", read_file(fixture(name)));
  }

  // A copy in which `from` is overwritten by `to`, of the same length, everywhere.
  std::filesystem::path add_changed(const std::string& name, const std::string& from,
                                    const std::string& to,
                                    const std::string& as = "changed.espalier.so") const {
    std::string bytes = read_file(fixture(name));
    EXPECT_EQ(from.size(), to.size());
    EXPECT_NE(bytes.find(from), std::string::npos) << from;
    for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; at += to.size()) {
      bytes.replace(at, to.size(), to);
    }
    return put(as, bytes);
  }

 private:
  std::filesystem::path path_;
};

// What `call` throws, as a person reads it; empty where it throws nothing.
inline std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace espalier
