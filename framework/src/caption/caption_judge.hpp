// What is told of each caption of a trial, found out once a text.
#pragma once

#include <cstdint>
#include <espalier/caption/class_names.hpp>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace espalier {

struct CaptionJudgement {
  bool flagged = false;             // is_flagged(), by rules.hpp
  std::vector<std::int64_t> named;  // labels of the classes that it names
};

// Keeps what it found of some hundred thousand texts. Not thread-safe.
class CaptionJudge {
 public:
  // From now on of these classes.
  void begin(const std::vector<std::string>& class_names);
  // Until the next call of either. After begin().
  [[nodiscard]] const CaptionJudgement& of(const std::string& text);
  // How many texts were looked at.
  [[nodiscard]] std::int64_t looked_at() const noexcept { return looked_at_; }

 private:
  std::vector<std::string> class_names_;
  std::optional<ClassNames> names_;
  ClassNames nobody_{{}};  // flags do not ask for names
  std::unordered_map<std::string, CaptionJudgement> known_;
  std::int64_t looked_at_ = 0;
};

}  // namespace espalier
