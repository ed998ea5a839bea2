#include "experiment/content_paths.hpp"

#include <gtest/gtest.h>

namespace espalier {
namespace {

const std::string digest(64, 'a');

TEST(ContentPaths, AreWhereTheIdentityHasAHash) {
  const Json identity = {
      {"dataset",
       {{"use", "image_folder"},
        {"version", 1},
        {"params", {{"root", "sha256:" + digest}, {"upright", true}}}}},
      {"head", {{"use", "zero_shot"}, {"descriptions", "sha256:" + digest}}},
      {"encoder",
       {{"use", "dual"},
        {"version", 1},
        {"params",
         {{"image",
           {{"use", "vit"}, {"version", 2}, {"params", {{"weights", "sha256:" + digest}}}}}}}}},
      {"seed", 1}};
  const Json config = {
      {"dataset", {{"use", "image_folder"}, {"root", "/photos"}, {"upright", true}}},
      {"head", {{"use", "zero_shot"}, {"descriptions", "/texts.json"}}},
      {"encoder", {{"use", "dual"}, {"image", {{"use", "vit"}, {"weights", "/vit"}}}}},
      {"seed", 1}};
  const std::vector<HashedPath> found = content_paths(identity, config);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].key, "dataset.root");
  EXPECT_EQ(found[0].path, "/photos");
  EXPECT_EQ(found[0].digest, digest);
  EXPECT_EQ(found[1].key, "encoder.image.weights");
  EXPECT_EQ(found[1].path, "/vit");
  EXPECT_EQ(found[2].key, "head.descriptions");
}

TEST(ContentPaths, ListsArePathsEach) {
  const std::vector<HashedPath> found =
      content_paths(Json{{"files", {"sha256:" + digest, "sha256:" + digest}}},
                    Json{{"files", {"/a", "/b"}}}, "captioner");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].key, "captioner.files");
  EXPECT_EQ(found[1].path, "/b");
}

TEST(ContentPaths, SayWhatOfAFolderCounts) {
  const std::vector<HashedPath> found = content_paths(Json{{"root", "sha256-of-classes:" + digest}},
                                                      Json{{"root", "/photos"}}, "dataset");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].digest, digest);
  EXPECT_EQ(found[0].scope, ContentScope::class_folders);
}

TEST(ContentPaths, ATextThatOnlyLooksLikeAHashIsNone) {
  const Json text = {{"note", "sha256:of something"}};
  EXPECT_TRUE(content_paths(text, text).empty());
  EXPECT_TRUE(content_paths(Json(), Json()).empty());
}

}  // namespace
}  // namespace espalier
