// How many requests are under way.
#include "captioners/openai/traffic.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace espalier::openai {
namespace {

TEST(OpenAiTraffic, GrowsByOneAndShrinksByHalf) {
  Traffic traffic(5);
  const auto clean = [&](int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(traffic.enter([] { return false; }));
      traffic.leave_clean();
    }
  };
  EXPECT_EQ(traffic.room(), 2);
  clean(19);
  EXPECT_EQ(traffic.room(), 2);
  clean(1);
  EXPECT_EQ(traffic.room(), 3);
  clean(100);
  EXPECT_EQ(traffic.room(), 5);
  ASSERT_TRUE(traffic.enter([] { return false; }));
  traffic.leave_overloaded();
  EXPECT_EQ(traffic.room(), 2);
  ASSERT_TRUE(traffic.enter([] { return false; }));
  traffic.leave_overloaded();
  ASSERT_TRUE(traffic.enter([] { return false; }));
  traffic.leave_overloaded();
  EXPECT_EQ(traffic.room(), 1);
  EXPECT_EQ(Traffic(1).room(), 1);
}

TEST(OpenAiTraffic, HoldsEverybodyBack) {
  Traffic traffic(4);
  const auto until = Traffic::Clock::now() + std::chrono::milliseconds(150);
  traffic.hold_until(until);
  ASSERT_TRUE(traffic.enter([] { return false; }));
  EXPECT_GE(Traffic::Clock::now(), until);
  traffic.hold_until(Traffic::Clock::now() + std::chrono::hours(1));
  EXPECT_FALSE(traffic.enter([] { return true; }));
}

TEST(OpenAiTraffic, ReadsEveryFormOfAWait) {
  const auto wait = [](std::map<std::string, std::string> headers) {
    HttpAnswer answer;
    answer.headers = std::move(headers);
    return asked_wait(answer, 1445412480);  // Wed, 21 Oct 2015 07:28:00 GMT
  };
  EXPECT_EQ(wait({{"retry-after", "3"}}), 3.0);
  EXPECT_EQ(wait({{"retry-after", "0.25"}}), 0.25);
  EXPECT_EQ(wait({{"retry-after", "Wed, 21 Oct 2015 07:28:30 GMT"}}), 30.0);
  EXPECT_EQ(wait({{"retry-after", "Wed, 21 Oct 2015 07:00:00 GMT"}}), 0.0);
  EXPECT_EQ(wait({{"retry-after-ms", "1500"}, {"retry-after", "9"}}), 1.5);
  EXPECT_EQ(wait({{"retry-after", "soon"}}), std::nullopt);
  EXPECT_EQ(wait({{"retry-after", "-1"}}), std::nullopt);
  EXPECT_EQ(wait({}), std::nullopt);
}

}  // namespace
}  // namespace espalier::openai
