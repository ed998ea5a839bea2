#include <espalier/caption/caption_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <espalier/core/error.hpp>
#include <fstream>
#include <map>
#include <string>

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class CaptionFile : public testing::Test {
 protected:
  ~CaptionFile() override { std::filesystem::remove(file_); }

  [[nodiscard]] CaptionSet read_set(std::string_view text) const {
    std::ofstream(file_, std::ios::binary) << text;
    return read_captions(file_);
  }
  [[nodiscard]] std::map<std::string, std::string> read(std::string_view text) const {
    std::map<std::string, std::string> captions;
    const CaptionSet set = read_set(text);
    for (const CaptionRecord& record : set.records()) {
      captions[record.id] = record.caption.text;
    }
    return captions;
  }
  [[nodiscard]] std::string error_of(std::string_view text) const {
    try {
      (void)read(text);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  std::filesystem::path file_ = std::filesystem::path(testing::TempDir()) /
                                ("captions_" + std::to_string(::getpid()) + ".txt");
};

const auto both = ElementsAre(Pair("a/1.jpg", "red, wet"), Pair("b.jpg", "a \"lily\""));

TEST_F(CaptionFile, IsReadInEveryForm) {
  EXPECT_THAT(read(R"({"b.jpg": "a \"lily\"", "./a//1.jpg": "red, wet"})"), both);
  EXPECT_THAT(read("{\"id\": \"a/1.jpg\", \"text\": \"red, wet\"}\n\n"
                   "{\"path\": \"b.jpg\", \"caption\": \"a \\\"lily\\\"\", \"model\": 3}\n"),
              both);
  EXPECT_THAT(read(R"([{"id": "a/1.jpg", "text": "red, wet"},
                       {"id": "b.jpg", "text": "a \"lily\""}])"),
              both);
  EXPECT_THAT(read("path,label,caption\na/1.jpg,x,\"red, wet\"\nb.jpg,y,\"a \"\"lily\"\"\"\n"),
              both);
  EXPECT_THAT(read("\xef\xbb\xbftext;id\r\nred, wet;a/1.jpg\r\n\"a \"\"lily\"\"\";b.jpg\r\n"),
              both);
  EXPECT_THAT(read("id\ttext\na/1.jpg\tred, wet\nb.jpg\t\"a \"\"lily\"\"\"\n"), both);
}

TEST_F(CaptionFile, NamesEveryMistakeWithItsLine) {
  EXPECT_THAT(
      error_of(
          "{\"id\": \"a\", \"text\": \"x\"}\n{\"id\": \"a\", \"text\": \"y\"}\n{\"id\": \"b\"}\n"
          "no json\n{\"id\": \"c\", \"text\": \"\"}\n"),
      AllOf(HasSubstr(":2"), HasSubstr("two captions"), HasSubstr(":3"),
            HasSubstr("lacks the texts"), HasSubstr(":4"), HasSubstr("no JSON"), HasSubstr(":5"),
            HasSubstr("a caption is empty")));
  EXPECT_THAT(error_of("id,text\na\n,x\nb,y\nb,z\n"),
              AllOf(HasSubstr(":2"), HasSubstr(":3"), HasSubstr("for no photo"), HasSubstr(":5")));
  EXPECT_THAT(error_of(R"({"a": ["x"], "b": ")" + std::string(9000, 'x') + "\"}"),
              AllOf(HasSubstr("no text"), HasSubstr("longer than 8192")));
}

TEST_F(CaptionFile, IsKnownByItsBytes) {
  // printf 'id,text\na,x\n' | sha256sum
  EXPECT_EQ(read_set("id,text\na,x\n").digest(),
            "sha256:f45556078c9bf882bacd4f93a4e6f418b5fdc1c4dd961b362eba2f67f8d02606");
  const CaptionSet set({{"by", "hand"}}, {{.id = "a", .caption = {"x", "me"}}}, "here");
  const CaptionSet again = read_set(set.text());
  EXPECT_EQ(again.digest(), set.digest());
  EXPECT_EQ(again.about(), Json({{"by", "hand"}}));
  EXPECT_EQ(again.records().at(0).caption.source, "me");
}

TEST_F(CaptionFile, RefusesWhatItIsNot) {
  EXPECT_THAT(error_of(" \n"), HasSubstr("there are no captions"));
  EXPECT_THAT(error_of("file,words\na,b\n"), HasSubstr("no columns id and text"));
  EXPECT_THAT(error_of("\"\""), HasSubstr("no columns id and text"));
  EXPECT_THAT(error_of(R"({"a": "x", "a": "y"})"), HasSubstr("captions_"));
  EXPECT_THAT(error_of("id,text\na,\xff\n"), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace espalier
