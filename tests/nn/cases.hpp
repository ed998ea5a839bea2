// Where the recorded cases are, and copies of them to break.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace espalier::cases {

namespace fs = std::filesystem;

// A small case that is part of the tests.
inline fs::path encoder_case(const std::string& name) {
  return fs::path(ESPALIER_SOURCE_DIR) / "tests/data/encoders" / name;
}

// The folder with large cases, beside the folder that ESPALIER_DATA_DIR names or beside the
// sources; empty where there is none.
inline fs::path large_cases() {
  const char* data = std::getenv("ESPALIER_DATA_DIR");
  const fs::path shared =
      data != nullptr ? fs::path(data).parent_path() : fs::path(ESPALIER_SOURCE_DIR) / "../shared";
  return fs::exists(shared / "golden") ? shared / "golden" : fs::path();
}

// A copy of a case that a test may write to, removed at the end.
class CaseCopy {
 public:
  explicit CaseCopy(const fs::path& original)
      : folder_(fs::temp_directory_path() /
                ("espalier-case-" + std::to_string(::getpid()) + "-" + std::to_string(next()))) {
    fs::copy(original, folder_, fs::copy_options::recursive);
  }
  CaseCopy(const CaseCopy&) = delete;
  CaseCopy& operator=(const CaseCopy&) = delete;
  ~CaseCopy() { fs::remove_all(folder_); }

  [[nodiscard]] const fs::path& folder() const { return folder_; }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  static int next() {
    static int count = 0;
    return count++;
  }
  fs::path folder_;
};

}  // namespace espalier::cases
