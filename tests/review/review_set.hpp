// Captions and folders of decisions for the tests of reviews.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "review/review.hpp"
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::review_tests {

// `roses/0.jpg` and so on, in the order of their ids where there are ten at most. A caption without
// a text was refused. `labels` may be empty.
inline std::vector<ReviewItem> items_of(const std::vector<std::string>& texts,
                                        const std::vector<std::int64_t>& labels = {}) {
  std::vector<ReviewItem> items;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ReviewItem item;
    item.id = "roses/" + std::to_string(i) + ".jpg";
    item.text = texts[i];
    if (texts[i].empty()) item.trouble = "refused";
    if (!labels.empty()) item.label = labels[i];
    items.push_back(std::move(item));
  }
  return items;
}

// Texts that have nothing in common, and raise no flag.
inline std::vector<std::string> plain_texts(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    texts.push_back("a" + n + " flower" + n + " with" + n + " petals" + n + " of" + n + " red" + n);
  }
  return texts;
}

class DecisionFolder : public testing::Test {
 protected:
  ~DecisionFolder() override { std::filesystem::remove_all(folder_); }

  static Decision decision(const Review& review, std::size_t item, Verdict verdict,
                           const std::string& queue = "audit") {
    Decision decision;
    decision.id = review.items()[item].id;
    decision.caption = caption_hash(review.items()[item].text);
    decision.verdict = verdict;
    decision.queue = queue;
    return decision;
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("review_" + std::to_string(::getpid()));
};

}  // namespace espalier::review_tests
