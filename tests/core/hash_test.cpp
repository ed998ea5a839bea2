#include <espalier/core/hash.hpp>

#include <gtest/gtest.h>

#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <string>

namespace espalier {
namespace {

// FIPS 180-4's own examples.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfPiecesIsThatOfTheWholeAndTheObjectStartsAfresh) {
  Sha256 hash;
  hash.update("ab");
  hash.update("c");
  EXPECT_EQ(hash.finish(), sha256("abc"));
  EXPECT_EQ(hash.finish(), sha256(""));
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const auto file = std::filesystem::temp_directory_path() / "espalier_hash_test.bin";
  const std::string bytes(3'000'001, 'x');
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(sha256_file(file), sha256(bytes));
  std::filesystem::remove(file);
  EXPECT_THROW((void)sha256_file(file), Error);
}

}  // namespace
}  // namespace espalier
