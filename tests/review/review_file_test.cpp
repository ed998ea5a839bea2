#include "review/review_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/caption/caption_file.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>

#include "review_set.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;

class ReviewFiles : public review_tests::DecisionFolder {};

TEST_F(ReviewFiles, LeaveWhatTheReviewersMadeOfTheCaptions) {
  std::filesystem::create_directories(folder_);
  const auto in = folder_ / "captions.json", out = folder_ / "reviewed.jsonl";
  write_file(in, R"({"c.jpg": "third", "a.jpg": "first", "b.jpg": "second", "d.jpg": "fourth"})");
  const Review review(read_review_input(in, folder_ / "decisions").items, 1.0);
  ASSERT_EQ(review.items().size(), 4u);
  EXPECT_EQ(review.items()[0].id, "a.jpg");
  Decision edit = decision(review, 1, Verdict::edit);
  edit.text = "une \"deuxième\"\nfois";
  const ReviewerViews views = {
      {"anna", ReviewerView(std::vector{decision(review, 0, Verdict::accept), edit,
                                        decision(review, 2, Verdict::reject)},
                            review.items())}};
  const ReviewedFile made = write_reviewed(in, review.items(), review.outcomes(views), out);
  EXPECT_EQ(made.captions, 3u);
  EXPECT_EQ(made.edited, 1u);
  EXPECT_EQ(made.rejected, 1u);
  EXPECT_EQ(made.parent, "sha256:" + hex(sha256_file(in)));
  EXPECT_EQ(made.digest, "sha256:" + hex(sha256_file(out)));
  EXPECT_THAT(read_file(out), HasSubstr(made.parent));
  const CaptionSet set = read_captions(out);
  ASSERT_EQ(set.records().size(), 4u);
  EXPECT_EQ(set.about().at("parent"), made.parent);
  EXPECT_EQ(set.find("a.jpg")->caption.text, "first");
  EXPECT_EQ(set.find("a.jpg")->more.at("reviewed"), "accept");
  EXPECT_EQ(set.find("b.jpg")->caption.text, "une \"deuxième\"\nfois");
  EXPECT_EQ(set.find("c.jpg")->caption.text, "");
  EXPECT_EQ(set.find("c.jpg")->caption.answer, Answer::dropped);
  EXPECT_EQ(set.find("d.jpg")->caption.text, "fourth");
}

TEST_F(ReviewFiles, ShowWhatAFilterSentThem) {
  std::filesystem::create_directories(folder_);
  const auto in = folder_ / "captions.jsonl";
  CaptionRecord sent{.id = "a.jpg"}, odd{.id = "b.jpg"};
  sent.caption.text = "a red rose on a stone wall";
  odd.caption.text = "a white lily before a green hedge";
  sent.more["review"] = {"meta", "clip_score"};
  odd.more["review"] = "no list";
  write_captions(CaptionSet(Json::object(), {sent, odd}, "test"), in);
  const Review review(read_review_input(in, folder_).items, 1.0);
  EXPECT_THAT(review.flags()[0].reasons,
              testing::ElementsAre("sent to review: meta", "sent to review: clip_score"));
  EXPECT_THAT(review.flags()[1].reasons, testing::ElementsAre("sent to review: no list"));
  EXPECT_THAT(review.to_do(ReviewQueue::flagged, 0, "anna", {}),
              testing::UnorderedElementsAre(0, 1));
}

}  // namespace
}  // namespace espalier
