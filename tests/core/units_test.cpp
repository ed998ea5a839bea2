#include <espalier/core/units.hpp>

#include <gtest/gtest.h>

namespace espalier {
namespace {

TEST(Units, SizesAsPeopleWriteThem) {
  EXPECT_EQ(parse_bytes("0"), 0);
  EXPECT_EQ(parse_bytes("1234"), 1234);
  EXPECT_EQ(parse_bytes("12B"), 12);
  EXPECT_EQ(parse_bytes("2k"), 2000);
  EXPECT_EQ(parse_bytes("1.5 GB"), 1'500'000'000);
  EXPECT_EQ(parse_bytes("4GiB"), std::int64_t{4} << 30);
  EXPECT_EQ(parse_bytes("10mi"), 10 << 20);
  EXPECT_EQ(parse_bytes("0.5T"), 500'000'000'000);
}

TEST(Units, AnythingElseIsRefused) {
  for (const char* text : {"", " ", "G", "-1", "-0", "+1", "1e9", "nan", "inf", "1 ", "1  G", "1GG",
                           "1kk", "1iB", "1.2.3", "0x10", "9999999999T", "1G B", "ten"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Units, SizesAsPeopleReadThem) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1000), "1.0 kB");
  EXPECT_EQ(bytes_text(999'949), "999.9 kB");
  EXPECT_EQ(bytes_text(999'950), "1.0 MB");
  EXPECT_EQ(bytes_text(12'345'678'901), "12.3 GB");
  EXPECT_EQ(bytes_text(7'000'000'000'000'000), "7000.0 TB");
}

}  // namespace
}  // namespace espalier
