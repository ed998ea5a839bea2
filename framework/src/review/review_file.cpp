#include "review/review_file.hpp"

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/json.hpp>
#include <espalier/dataset/caption_file.hpp>
#include <utility>

namespace espalier {

std::vector<ReviewItem> read_review_items(const std::filesystem::path& file) {
  std::vector<ReviewItem> items;
  for (const auto& [id, text] : read_captions(file)) {
    ReviewItem item;
    item.id = id;
    item.text = text;
    items.push_back(std::move(item));
  }
  return items;
}

ReviewedFile write_reviewed(const std::filesystem::path& parent, std::span<const ReviewItem> items,
                            std::span<const std::optional<Decision>> outcomes,
                            const std::filesystem::path& out) {
  ESPALIER_ASSERT(items.size() == outcomes.size(), "an outcome for each caption");
  ReviewedFile made;
  made.parent = "sha256:" + hex(sha256_file(parent));
  std::string lines;
  for (std::size_t i = 0; i < items.size(); ++i) {
    Json line = {{"id", items[i].id}, {"text", items[i].text}, {"parent", made.parent}};
    if (outcomes[i]) {
      if (outcomes[i]->verdict == Verdict::reject) {
        ++made.rejected;
        continue;
      }
      line["reviewed"] = to_string(outcomes[i]->verdict);
      if (outcomes[i]->verdict == Verdict::edit) {
        ++made.edited;
        line["text"] = outcomes[i]->text;
      }
    }
    ++made.captions;
    lines += line.dump() + "\n";
  }
  write_file(out, lines);
  made.digest = "sha256:" + hex(sha256(lines));
  return made;
}

}  // namespace espalier
