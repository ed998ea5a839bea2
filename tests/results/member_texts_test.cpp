#include "results/member_texts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(MemberTexts, AreTheMembersOfTheObjectAloneWhateverIsInTheirValues) {
  EXPECT_THAT(member_texts(R"({"a":1,"b":{"a":[1,"}"],"c":{}},"d":"\"},{\\","e":[]})"),
              ElementsAre(Pair("a", "1"), Pair("b", R"({"a":[1,"}"],"c":{}})"),
                          Pair("d", R"("\"},{\\")"), Pair("e", "[]")));
}

TEST(MemberTexts, AreNoneOfTextsOfAnotherShape) {
  for (const char* text :
       {"", "{", "{}", "[]", "1", R"("a")", R"({"a"})", R"({"a":})x", R"({"a":1)", R"({"a":1,})",
        R"({"a":{}"b":1})", R"({"a":{}x"b":1})", R"({"a":[})", R"({ "a":1})", R"({"a" :1})",
        R"({"a":1}})", R"({"\u0061":1})", R"({"a":"b})", R"({"a":"\)"}) {
    EXPECT_THAT(member_texts(text), IsEmpty()) << text;
  }
}

}  // namespace
}  // namespace espalier
