#include <cstring>
#include <map>

#include "archive_support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// One field of a MAT file of version 4: type, rows, columns, imaginary part, length of the name;
// then the name and doubles. https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
std::string field(const std::string& name, const std::vector<double>& values) {
  const std::int32_t header[] = {0, 1, static_cast<std::int32_t>(values.size()), 0,
                                 static_cast<std::int32_t>(name.size() + 1)};
  std::string bytes(reinterpret_cast<const char*>(header), sizeof header);
  bytes.append(name.c_str(), name.size() + 1);
  return bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
}

std::string sets(const std::vector<double>& train, const std::vector<double>& val,
                 const std::vector<double>& test) {
  return field("trnid", train) + field("valid", val) + field("tstid", test);
}

class Flowers102 : public testing_support::ArchiveTest {
 protected:
  Flowers102() : ArchiveTest("flowers102") {}

  void SetUp() override {
    ArchiveTest::SetUp();
    for (int i = 1; i <= 4; ++i) photo("jpg/image_0000" + std::to_string(i) + ".jpg");
    put("imagelabels.mat", field("labels", {77, 1, 102, 77}));
    put("setid.mat", sets({4, 2}, {1}, {3}));
  }
};

TEST_F(Flowers102, ReadsTheOfficialSplits) {
  const auto data = load();
  ASSERT_EQ(data->class_names().size(), 102u);
  EXPECT_EQ(data->class_names()[0], "pink primrose");
  EXPECT_EQ(data->class_names()[76], "passion flower");
  EXPECT_EQ(data->class_names()[101], "blackberry lily");
  EXPECT_THAT(listed(*data),
              ElementsAre("train jpg/image_00004.jpg 76", "train jpg/image_00002.jpg 0",
                          "val jpg/image_00001.jpg 76", "test jpg/image_00003.jpg 101"));
}

TEST_F(Flowers102, NamesEveryMistakeTogether) {
  put("imagelabels.mat", field("labels", {77, 0, 103, 77}));
  put("setid.mat", sets({4, 2}, {1}, {9}));
  EXPECT_THAT(load_error(), AllOf(HasSubstr("photo 2 is out of range"),
                                  HasSubstr("photo 3 is out of range"), HasSubstr("1 to 4")));
}

// matio made a gigabyte of room for a name of 1,072,693,248 bytes.
TEST_F(Flowers102, RefusesAFieldThatIsLongerThanItsFile) {
  const std::string whole = field("labels", {77, 1, 102, 77});
  for (const std::size_t number : {1u, 2u, 4u}) {
    std::string damaged = whole;
    damaged[4 * number + 3] = 0x3f;
    put("imagelabels.mat", damaged);
    EXPECT_THAT(load_error(), HasSubstr("a MATLAB file is damaged")) << number;
  }
  put("imagelabels.mat", whole.substr(0, whole.size() - 1));
  EXPECT_THAT(load_error(), HasSubstr("a MATLAB file is damaged"));
}

// The numbers 77, 1, 102, 77 as `labels` in a MAT file of version 5 that is not compressed:
// elements of type and length, those of the field each padded to 8 bytes.
std::string version_5(std::uint32_t name_length) {
  const std::uint32_t field[] = {14, 56, 6, 8, 9, 0, 5, 8, 1, 4, 1, name_length};
  std::string bytes = "MATLAB 5.0 MAT-file";
  bytes.resize(124, ' ');
  bytes.append("\0\1IM", 4).append(reinterpret_cast<const char*>(field), sizeof field);
  return bytes.append("labels\0\0\2\0\4\0\115\1\146\115", 16);
}

TEST_F(Flowers102, ReadsVersion5AndRefusesANameThatIsLongerThanItsFile) {
  put("imagelabels.mat", version_5(6));
  EXPECT_EQ(load()->samples().size(), 4u);
  put("imagelabels.mat", version_5(0x64000005));
  EXPECT_THAT(load_error(), HasSubstr("a MATLAB file is damaged"));
}

TEST_F(Flowers102, NamesTheFieldThatIsMissingAndThoseThatAreThere) {
  put("imagelabels.mat", field("classes", {77, 1, 102, 77}));
  EXPECT_THAT(load_error(), AllOf(HasSubstr("no field \"labels\""), HasSubstr("classes")));
  put("imagelabels.mat", field("labels", {77, 1.5, 102, 77}));
  EXPECT_THAT(load_error(), HasSubstr("an array of whole numbers"));
}

TEST_F(Flowers102, NamesTheMissingPhoto) {
  std::filesystem::remove(root_ / "jpg/image_00003.jpg");
  EXPECT_THAT(load_error(), HasSubstr("image_00003.jpg"));
}

TEST_F(Flowers102, DamagedListsAreErrors) { damage({"imagelabels.mat", "setid.mat"}); }

TEST_F(Flowers102, ReadsTheRealArchive) {
  const auto root = real("flowers-102");
  if (root.empty()) GTEST_SKIP() << "no flowers-102 in ESPALIER_DATA_DIR";
  const auto data = testing_support::make<Dataset>("flowers102", {{"root", root.string()}});
  std::map<Split, int> counts;
  for (const Sample& sample : data->samples()) ++counts[sample.split];
  EXPECT_EQ(counts[Split::train], 1020);
  EXPECT_EQ(counts[Split::val], 510);
  EXPECT_EQ(counts[Split::test], 1020);
}

// zlib's checksum tells a changed label from a whole file.
TEST_F(Flowers102, RefusesACompressedFileWithAFlippedBit) {
  const auto root = real("flowers-102");
  if (root.empty()) GTEST_SKIP() << "no flowers-102 in ESPALIER_DATA_DIR";
  std::ifstream stream(root / "setid.mat", std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  for (const std::size_t place : {150u, 400u, 1000u}) {
    std::string flipped = bytes;
    flipped[place] = static_cast<char>(flipped[place] ^ 1);
    put("setid.mat", flipped);
    EXPECT_THAT(load_error(), HasSubstr("setid.mat")) << place;
  }
}

// The compressed files of the real archive, cut and flipped.
TEST_F(Flowers102, DamagedFilesOfTheRealArchiveAreErrorsOrRead) {
  const auto root = real("flowers-102");
  if (root.empty()) GTEST_SKIP() << "no flowers-102 in ESPALIER_DATA_DIR";
  std::filesystem::copy_file(root / "imagelabels.mat", root_ / "imagelabels.mat",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::permissions(root_ / "imagelabels.mat", std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  damage({"imagelabels.mat"});
}

}  // namespace
}  // namespace espalier
