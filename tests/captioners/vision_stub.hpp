// tools/vision_stub as a server of a test, which ends with it.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/process.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

namespace espalier::testing_support {

class VisionStub {
 public:
  explicit VisionStub(const std::string& elsewhere = "http://127.0.0.1:1") {
    std::filesystem::remove(port_file_);
    process_ = std::make_unique<ChildProcess>(
        ProcessStart{.arguments = {"python3", ESPALIER_SOURCE_DIR "/tools/vision_stub", "--port",
                                   "0", "--port-file", port_file_.string(), "--key-env",
                                   "ESPALIER_STUB_KEY", "--elsewhere", elsewhere},
                     .environment = {},
                     .descriptors = {},
                     .own_group = true});
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!std::filesystem::exists(port_file_) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    port_ = std::filesystem::exists(port_file_) ? read_file(port_file_) : "";
    std::filesystem::remove(port_file_);
  }

  // Whether there is a python3 to run it.
  [[nodiscard]] static bool can_run() {
    static const bool can = std::system("python3 -c 'import http.server' 2>/dev/null") == 0;
    return can;
  }

  [[nodiscard]] std::string origin() const { return "http://127.0.0.1:" + port_; }
  [[nodiscard]] std::string url() const { return origin() + "/v1"; }

 private:
  static inline int count_ = 0;
  std::filesystem::path port_file_ =
      std::filesystem::temp_directory_path() /
      ("vision_stub_" + std::to_string(::getpid()) + "_" + std::to_string(count_++));
  std::unique_ptr<ChildProcess> process_;
  std::string port_;
};

}  // namespace espalier::testing_support
