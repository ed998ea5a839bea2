// What a person decided of captions, kept through any end.
//
// decisions.REVIEWER.jsonl, a line a decision, appended and synced before the page says "saved":
//   {"caption": "9f86...", "id": "roses/1.jpg", "ms": 2140, "queue": "audit", "reasons": [],
//    "reviewer": "anna", "seq": 7, "sum": "0a1b2c3d4e5f6071", "time": "2026-11-26T17:05:12Z",
//    "verdict": "accept"}
//   {"reviewer": "anna", "revokes": 7, "seq": 8, "sum": "...", "time": "..."}
// `sum` is over the line without it. `text` is there where the verdict is `edit`. `caption` is the
// SHA-256 of the text that was looked at: a decision about another text counts no more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class Verdict { accept, edit, reject, skip };
[[nodiscard]] std::string_view to_string(Verdict verdict);
[[nodiscard]] std::optional<Verdict> verdict_named(std::string_view name);

struct Decision {
  std::int64_t seq = 0;  // from 1 on, in the order in which they were made
  std::string time;      // UTC
  std::string id;        // of the picture
  std::string caption;   // caption_hash() of what was decided about
  Verdict verdict = Verdict::skip;
  std::string text;  // in the place of the caption, of an edit
  std::vector<std::string> reasons;
  std::int64_t ms = 0;  // from when it was shown
  std::string queue;    // in which it was shown
};

[[nodiscard]] std::string caption_hash(std::string_view text);
// Letters, digits, `-` and `_`, 40 at most: what a file can be called after.
[[nodiscard]] bool is_reviewer_name(std::string_view name);
[[nodiscard]] std::filesystem::path decision_file(const std::filesystem::path& folder,
                                                  const std::string& reviewer);
// The reviewers whose decisions are in a folder, in order; none where there is no folder.
[[nodiscard]] std::vector<std::string> reviewers_in(const std::filesystem::path& folder);

struct DecisionText {
  std::vector<Decision> standing;  // not revoked, in their order
  std::int64_t last_seq = 0;
  std::size_t whole = 0;  // bytes up to the end of the last good line
};
// A last line that is torn is passed over. Throws Error where another line is damaged, out of
// order, or another reviewer's.
[[nodiscard]] DecisionText read_decisions(std::string_view text, std::string_view reviewer,
                                          const std::string& origin);
// Those of a file in `folder`, whoever writes it now.
[[nodiscard]] std::vector<Decision> decisions_of(const std::filesystem::path& folder,
                                                 const std::string& reviewer);

// The file of one reviewer, held alone. Not to be used by two threads at once.
class DecisionLog {
 public:
  // Makes folder and file where they lack, and cuts off what is torn. Throws Error where another
  // process has it.
  DecisionLog(const std::filesystem::path& folder, std::string reviewer);

  [[nodiscard]] const std::string& reviewer() const noexcept { return reviewer_; }
  // In their order, without those that were taken back.
  [[nodiscard]] const std::vector<Decision>& standing() const noexcept { return standing_; }
  // Synced when it returns. Sets seq and time. Throws StorageError, and nothing changed.
  const Decision& add(Decision decision);
  // Takes the last one back that stands; nothing where none does.
  std::optional<Decision> undo();

 private:
  void append(Json line);

  std::filesystem::path file_;
  std::string reviewer_;
  Descriptor open_;
  std::vector<Decision> standing_;
  std::int64_t last_seq_ = 0;
  std::size_t bytes_ = 0;  // of the file
};

}  // namespace espalier
