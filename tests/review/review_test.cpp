#include "review/review.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "review_set.hpp"

namespace espalier {
namespace {

using review_tests::items_of;
using review_tests::plain_texts;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Items = std::vector<std::size_t>;

class Reviews : public review_tests::DecisionFolder {
 protected:
  static ReviewerView view(const Review& review, const std::vector<Decision>& decisions) {
    return {decisions, review.items()};
  }
};

TEST_F(Reviews, AuditInAnOrderThatNobodyChose) {
  const Review review(items_of(plain_texts(200)), 0.0);
  const Items order = review.to_do(ReviewQueue::audit, 0, "anna", {});
  ASSERT_EQ(order.size(), 200u);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  Items sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
  EXPECT_EQ(order, Review(items_of(plain_texts(200)), 0.0).to_do(ReviewQueue::audit, 0, "bob", {}));
  // The mean place of the first half of the ids: 99.5, standard deviation 4.1.
  double mean = 0;
  for (std::size_t i = 0; i < 100; ++i) mean += static_cast<double>(order[i]) / 100;
  EXPECT_NEAR(mean, 99.5, 20);
}

TEST_F(Reviews, NeverCountWhatOtherQueuesShowed) {
  const Review review(items_of(plain_texts(20)), 0.0);
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < 15; ++i) {
    decisions.push_back(decision(review, i, Verdict::reject, "uncertain"));
  }
  EXPECT_EQ(review.audit({{"anna", view(review, decisions)}}).looked_at, 0);
  EXPECT_EQ(review.to_do(ReviewQueue::audit, 0, "anna", {{"anna", view(review, decisions)}}).size(),
            20u);
  decisions.push_back(decision(review, 3, Verdict::accept));
  decisions.push_back(decision(review, 4, Verdict::edit));
  decisions.push_back(decision(review, 5, Verdict::skip));
  decisions.push_back(decision(review, 3, Verdict::reject, "flagged"));
  const auto audit = review.audit({{"anna", view(review, decisions)}});
  EXPECT_EQ(audit.looked_at, 2);
  EXPECT_EQ(audit.wrong, 1);
  EXPECT_EQ(audit.skipped, 1);
}

TEST_F(Reviews, LeaveDecisionsAboutOtherTextsOut) {
  const Review review(items_of(plain_texts(3)), 0.0);
  Decision old = decision(review, 1, Verdict::accept);
  old.caption = caption_hash("what it said before");
  Decision gone = decision(review, 1, Verdict::accept);
  gone.id = "lilies/1.jpg";
  const ReviewerView seen = view(review, {old, gone});
  EXPECT_EQ(seen.latest(1), nullptr);
  EXPECT_EQ(seen.stale(), 2u);
  EXPECT_EQ(review.to_do(ReviewQueue::audit, 0, "anna", {{"anna", seen}}).size(), 3u);
}

TEST_F(Reviews, GiveEachCaptionToOneReviewerButForTheShareOfAll) {
  const std::vector<ReviewItem> items = items_of(plain_texts(1000));
  const Review none(items, 0.0), some(items, 0.2), all(items, 1.0);
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < 1000; ++i) decisions.push_back(decision(none, i, Verdict::accept));
  const ReviewerViews views = {{"anna", view(none, decisions)}, {"bob", {}}};
  EXPECT_THAT(none.to_do(ReviewQueue::audit, 0, "bob", views), IsEmpty());
  EXPECT_EQ(all.to_do(ReviewQueue::audit, 0, "bob", views).size(), 1000u);
  // Binomial of 1000 at 0.2: standard deviation 12.6.
  EXPECT_NEAR(static_cast<double>(some.to_do(ReviewQueue::audit, 0, "bob", views).size()), 200, 60);
  EXPECT_THAT(some.to_do(ReviewQueue::audit, 0, "anna", views), IsEmpty());
}

TEST_F(Reviews, ShowAThirdWhatTwoDisputed) {
  const Review review(items_of(plain_texts(4)), 1.0);
  const ReviewerViews views = {
      {"anna",
       view(review, {decision(review, 0, Verdict::accept), decision(review, 1, Verdict::accept)})},
      {"bob",
       view(review, {decision(review, 0, Verdict::reject), decision(review, 1, Verdict::accept)})},
      {"carl", {}}};
  EXPECT_THAT(review.to_do(ReviewQueue::disagreements, 0, "carl", views), ElementsAre(0));
  EXPECT_THAT(review.to_do(ReviewQueue::disagreements, 0, "anna", views), IsEmpty());
  EXPECT_EQ(review.audited_verdicts(views), (Verdicts{{0, 1}, {0, 0}}));
  EXPECT_EQ(review.audit(views).wrong, 1);  // a tie counts as wrong
}

TEST_F(Reviews, ShowTheSuspiciousFirst) {
  std::vector<std::string> texts = plain_texts(6);
  texts[1] = "too short";
  texts[3] = texts[2];
  texts[4] = "";
  const Review review(items_of(texts, {0, 0, 1, 1, 2, 2}), 0.0);
  EXPECT_THAT(review.to_do(ReviewQueue::flagged, 0, "a", {}), UnorderedElementsAre(1, 2, 3, 4));
  EXPECT_THAT(review.to_do(ReviewQueue::alike, 0, "a", {}), UnorderedElementsAre(2, 3));
  EXPECT_THAT(review.to_do(ReviewQueue::of_class, 2, "a", {}), UnorderedElementsAre(4, 5));
  const Items doubtful = review.to_do(ReviewQueue::uncertain, 0, "a", {});
  EXPECT_THAT(Items(doubtful.begin(), doubtful.begin() + 4), UnorderedElementsAre(1, 2, 3, 4));
}

TEST_F(Reviews, ShowTheLowestScoresFirst) {
  std::vector<ReviewItem> items = items_of(plain_texts(5));
  items[0].score = 0.9;
  items[1].score = 0.2;
  items[3].score = 0.5;
  items[4].trouble = "truncated";
  const Review review(items, 1.0, "clip_score");
  // Behind them what has no score, and of that what has flags first.
  EXPECT_THAT(review.to_do(ReviewQueue::uncertain, 0, "a", {}), ElementsAre(1, 3, 0, 4, 2));
}

TEST_F(Reviews, TryTheScoreOnTheAuditAlone) {
  std::vector<ReviewItem> items = items_of(plain_texts(6));
  for (std::size_t i = 0; i < 5; ++i) items[i].score = static_cast<double>(i);
  const Review review(items, 1.0, "clip_score");
  std::vector<Decision> decisions = {decision(review, 0, Verdict::reject),
                                     decision(review, 1, Verdict::accept),
                                     decision(review, 2, Verdict::edit)};
  EXPECT_FALSE(review.score_auc({}).has_value());
  EXPECT_NEAR(*review.score_auc({{"anna", view(review, decisions)}}), 0.5, 1e-12);
  decisions.push_back(decision(review, 3, Verdict::accept));
  decisions.push_back(decision(review, 4, Verdict::reject, "uncertain"));
  decisions.push_back(decision(review, 5, Verdict::reject));  // has no score
  EXPECT_NEAR(*review.score_auc({{"anna", view(review, decisions)}}), 0.75, 1e-12);
}

TEST_F(Reviews, PairWhatTwoReviewersSaid) {
  const Review review(items_of(plain_texts(4)), 1.0);
  const ReviewerView anna =
      view(review,
           {decision(review, 0, Verdict::accept), decision(review, 1, Verdict::edit),
            decision(review, 2, Verdict::skip), decision(review, 3, Verdict::accept, "flagged")});
  const ReviewerView bob =
      view(review, {decision(review, 0, Verdict::reject), decision(review, 1, Verdict::reject),
                    decision(review, 2, Verdict::accept), decision(review, 3, Verdict::accept)});
  using Pairs = std::vector<std::pair<int, int>>;
  EXPECT_EQ(review.audited_pairs(anna, bob), (Pairs{{0, 1}, {1, 1}}));
}

TEST_F(Reviews, SayWhatBecomesOfACaption) {
  const Review review(items_of(plain_texts(4)), 1.0);
  Decision edit = decision(review, 1, Verdict::edit, "flagged");
  edit.text = "a blue flower on a stone wall";
  const ReviewerViews views = {{"anna", view(review, {decision(review, 0, Verdict::accept), edit,
                                                      decision(review, 2, Verdict::reject),
                                                      decision(review, 3, Verdict::skip)})}};
  const auto outcomes = review.outcomes(views);
  EXPECT_EQ(outcomes[0]->verdict, Verdict::accept);
  EXPECT_EQ(outcomes[1]->text, "a blue flower on a stone wall");
  EXPECT_EQ(outcomes[2]->verdict, Verdict::reject);
  EXPECT_FALSE(outcomes[3].has_value());
}

TEST_F(Reviews, FollowTheMajority) {
  const Review review(items_of(plain_texts(1)), 1.0);
  const auto accepting = [&] { return view(review, {decision(review, 0, Verdict::accept)}); };
  ReviewerViews views = {{"anna", accepting()},
                         {"bob", view(review, {decision(review, 0, Verdict::reject)})},
                         {"carl", accepting()}};
  EXPECT_EQ(review.outcomes(views)[0]->verdict, Verdict::accept);
  EXPECT_EQ(review.audit(views).wrong, 0);
  views.erase("carl");
  EXPECT_EQ(review.outcomes(views)[0]->verdict, Verdict::reject);
}

TEST(CaptionFlags, SayWhy) {
  const auto items =
      items_of({"a red flower",
                "a red flower in a pot and a red flower in a pot "
                "and a red flower in a pot and a red flower in a pot",
                "one two three four five six seven eight nine ten eleven twelve thirteen",
                "one two three four five six seven eight nine ten eleven twelve fourteen", "",
                "one two three four five six seven eight nine ten eleven twelve thirteen"});
  const auto flags = caption_flags(items);
  EXPECT_THAT(flags[0].reasons, ElementsAre("has fewer than 5 words"));
  EXPECT_THAT(flags[1].reasons, ElementsAre("says the same again and again"));
  // 10 of 12 triples are in both.
  EXPECT_THAT(flags[2].reasons, ElementsAre("has the words of another picture's",
                                            "has nearly the words of another picture's"));
  EXPECT_THAT(flags[3].reasons, ElementsAre("has nearly the words of another picture's"));
  EXPECT_EQ(flags[1].alike, -1);
  for (const std::size_t i : {2, 3, 5}) EXPECT_EQ(flags[i].alike, 2) << i;
  EXPECT_THAT(flags[4].reasons, ElementsAre("answer: refused"));
}

}  // namespace
}  // namespace espalier
