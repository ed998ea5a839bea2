#include <espalier/core/json.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <string>

namespace espalier {
namespace {

// RFC 8785, appendix B.
TEST(CanonicalJson, WritesNumbersAsEcmaScriptDoes) {
  EXPECT_EQ(canonical_json(0.0), "0");
  EXPECT_EQ(canonical_json(-0.0), "0");
  EXPECT_EQ(canonical_json(5e-324), "5e-324");
  EXPECT_EQ(canonical_json(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(canonical_json(9007199254740992), "9007199254740992");
  EXPECT_EQ(canonical_json(295147905179352830000.0), "295147905179352830000");
  EXPECT_EQ(canonical_json(1e21), "1e+21");
  EXPECT_EQ(canonical_json(1e23), "1e+23");
  EXPECT_EQ(canonical_json(0.000001), "0.000001");
  EXPECT_EQ(canonical_json(1e-7), "1e-7");
  EXPECT_EQ(canonical_json(333333333.33333329), "333333333.3333333");
  EXPECT_EQ(canonical_json(-0.0000033333333333333333), "-0.0000033333333333333333");
  EXPECT_EQ(canonical_json(1), canonical_json(1.0));
}

TEST(CanonicalJson, SortsKeysAndEscapesOnlyWhatItMust) {
  EXPECT_EQ(canonical_json(Json{{"b", {1, "\x0f\n\"\\"}}, {"a", nullptr}, {"c", true}}),
            R"({"a":null,"b":[1,"\u000f\n\"\\"],"c":true})");
  EXPECT_EQ(canonical_json("\xe2\x82\xac"), "\"\xe2\x82\xac\"");
}

TEST(CanonicalJson, RefusesWhatHasNoText) {
  EXPECT_THROW((void)canonical_json(std::nan("")), Error);
  EXPECT_THROW((void)canonical_json(9007199254740993), Error);
  EXPECT_THROW((void)canonical_json("\xff"), Error);
}

TEST(ParseJson, RefusesZeroBytesAndWhatHidesBehindThem) {
  EXPECT_THROW((void)parse_json(std::string_view("{}\0", 3), "x"), Error);
  EXPECT_THROW((void)parse_json(std::string_view("{}\0{\"a\": 1}", 11), "x"), Error);
  EXPECT_EQ(parse_json("\"a\\u0000b\"", "x").get<std::string>(), std::string("a\0b", 3));
}

TEST(ParseJson, RefusesHostileText) {
  EXPECT_EQ(parse_json(R"({"a":[1,{"b":2.5}]})", "t"), (Json{{"a", {1, {{"b", 2.5}}}}}));
  EXPECT_THROW((void)parse_json(R"({"a":1,"a":2})", "t"), Error);
  EXPECT_THROW((void)parse_json("{\"a\":", "t"), Error);
  EXPECT_THROW((void)parse_json("\"\xff\"", "t"), Error);
  EXPECT_THROW((void)parse_json("1e999", "t"), Error);
  EXPECT_THROW((void)parse_json(std::string(1000, '['), "t"), Error);
  EXPECT_THROW((void)parse_json("[1,2,3]", "t", {.bytes = 3}), Error);
}

}  // namespace
}  // namespace espalier
