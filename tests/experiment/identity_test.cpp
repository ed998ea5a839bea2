// What must and what must not change the name of a trial. docs/identity.md states it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::base_text;
using testing_support::components;

class IdentityTest : public testing_support::Experiment {
 protected:
  [[nodiscard]] std::string id_with(std::vector<ComponentInfo> catalog,
                                    const std::vector<std::string>& overrides = {}) const {
    return hex(plan(base_text, overrides, std::move(catalog)).trials().front().trial_id);
  }
};

TEST_F(IdentityTest, IsTheHashOfTheCanonicalIdentity) {
  const Plan made = plan(base_text);
  const Json identity = made.identity(0);
  EXPECT_EQ(hex(made.trials()[0].trial_id), hex(sha256(canonical_json(identity))));
  Json combination = identity;
  combination.erase("seed");
  EXPECT_EQ(hex(made.trials()[0].combo_id), hex(sha256(canonical_json(combination))));
  EXPECT_EQ(identity.at("graph"),
            (Json{{"use", "threshold"}, {"version", 1}, {"params", {{"tau", 0.7}}}}));
  EXPECT_EQ(identity.at("espalier"), 1);
  EXPECT_FALSE(identity.contains("captioner"));         // no text in the nodes
  EXPECT_FALSE(identity.at("head").contains("scale"));  // of the cosine head alone
}

// Each experiment below says the same in other words.
TEST_F(IdentityTest, DoesNotDependOnHowAnExperimentIsWritten) {
  const std::string expected = id(base_text + "  train: {lr: 0.01}\n");
  EXPECT_EQ(id("name: other\nabout: something else\n"
               "base:\n"
               "  train:\n    lr: 1e-2  # a comment\n"
               "  gnn: gcn\n"
               "  graph: {tau: 0.70, use: threshold}\n"
               "  encoder: classical\n"
               "  dataset.use: flora\n"
               "limits: {seconds: 10}\n"),
            expected);
  EXPECT_EQ(id(base_text, {"train.lr=10e-3"}), expected);
  EXPECT_EQ(id(base_text, {"train.lr=0.01", "gnn.hops=2", "train.epochs=60.0", "seed=1",
                           "captioner=none", "+protocol.shots=16", "graph.tau=7e-1"}),
            expected);
  EXPECT_EQ(id(base_text + "sweep: {grid: {train.lr: [0.01], gnn: [gcn]}}\n"), expected);
}

TEST_F(IdentityTest, DoesNotDependOnTheOrderOfAxes) {
  const auto ids = [&](const std::string& grid) {
    const Plan made = plan(base_text + "sweep: {grid: {" + grid + "}}\n");
    std::vector<std::string> all;
    for (const PlannedTrial& trial : made.trials()) all.push_back(hex(trial.trial_id));
    std::sort(all.begin(), all.end());
    return all;
  };
  EXPECT_EQ(ids("graph.tau: [0.5, 0.6], seed: [1, 2], gnn.hops: [1, 2]"),
            ids("gnn.hops: [2, 1], seed: [2, 1], graph.tau: [0.6, 0.5]"));
}

TEST_F(IdentityTest, DoesNotDependOnWhatCannotMatter) {
  EXPECT_EQ(id(base_text, {"gnn=mlp", "graph.tau=0.1"}),
            id(base_text, {"gnn=mlp", "graph=none", "~graph.tau"}));
  EXPECT_EQ(id(base_text, {"gnn=mlp", "protocol.graph=transductive"}), id(base_text, {"gnn=mlp"}));
  EXPECT_EQ(id(base_text, {"captioner=attributes", "+captioner.error_rate=0.4"}), id(base_text));
  EXPECT_EQ(id(base_text, {"head.scale=3"}), id(base_text));
  EXPECT_EQ(id(base_text, {"protocol.graph=none", "graph.tau=0.1"}),
            id(base_text, {"protocol.graph=none", "graph.tau=0.2"}));
}

std::vector<ComponentInfo> with_towers() {
  using testing_support::field;
  std::vector<ComponentInfo> all = components();
  const auto side = [](const char* name) {
    FieldInfo info = field(name, FieldType::component, Json{{"use", "words"}});
    info.kind = "encoder";
    info.only_for = name;
    return info;
  };
  all.push_back(testing_support::component(
      "encoder", "words", {"image", "text"},
      {testing_support::only_if(testing_support::integer("size", 8, 1, 64), "has(trial, image)"),
       testing_support::only_if(testing_support::integer("ngrams", 2, 1, 9), "has(trial, text)")}));
  all.push_back(testing_support::component("encoder", "both", {"image", "text"},
                                           {side("image"), side("text")}));
  return all;
}

TEST_F(IdentityTest, LeavesOutTheTowerThatIsNotUsed) {
  const auto of = [&](const std::string& fuse, const std::string& change) {
    return id_with(with_towers(), {"encoder=words", "captioner=attributes", "nodes.fuse=" + fuse,
                                   "+encoder." + change});
  };
  EXPECT_EQ(of("image", "ngrams=3"), of("image", "ngrams=2"));
  EXPECT_NE(of("image", "size=9"), of("image", "size=8"));
  EXPECT_EQ(of("text", "size=9"), of("text", "size=8"));
  EXPECT_NE(of("text", "ngrams=3"), of("text", "ngrams=2"));
  EXPECT_NE(of("concat", "ngrams=3"), of("concat", "ngrams=2"));
}

TEST_F(IdentityTest, LeavesOutWhatATowerInsideCannotUse) {
  const auto of = [&](const std::string& fuse, const std::string& change) {
    return id_with(with_towers(),
                   {"encoder=both", "captioner=attributes", "nodes.fuse=" + fuse,
                    "+encoder.image.use=words", "+encoder.text.use=words", "+encoder." + change});
  };
  EXPECT_EQ(of("concat", "image.ngrams=3"), of("concat", "image.ngrams=2"));
  EXPECT_NE(of("concat", "image.size=9"), of("concat", "image.size=8"));
  EXPECT_EQ(of("concat", "text.size=9"), of("concat", "text.size=8"));
  EXPECT_EQ(of("image", "text.ngrams=9"), of("image", "text.ngrams=8"));
}

TEST_F(IdentityTest, SharesStagesOfATowerWhateverTheOtherDoes) {
  const auto stages = [&](const std::vector<std::string>& changes) {
    std::vector<std::string> all{"encoder=words", "captioner=attributes", "nodes.fuse=concat"};
    all.insert(all.end(), changes.begin(), changes.end());
    return plan(base_text, all, with_towers()).stages(0);
  };
  const auto usual = stages({});
  EXPECT_EQ(stages({"+encoder.ngrams=3"})[0].key, usual[0].key);
  EXPECT_NE(stages({"+encoder.ngrams=3"})[2].key, usual[2].key);
  EXPECT_NE(stages({"+encoder.size=9"})[0].key, usual[0].key);
  EXPECT_EQ(stages({"+encoder.size=9"})[2].key, usual[2].key);
  EXPECT_EQ(stages({"nodes.fuse=image"})[0].key, usual[0].key);
}

TEST_F(IdentityTest, ChangesWithEverythingElse) {
  const std::string before = id(base_text);
  for (const std::string change :
       {"seed=2", "graph.tau=0.71", "gnn.hops=3", "gnn=mlp", "dataset.classes=21", "head=cosine",
        "train.eps=2e-8", "nodes.normalize=false", "protocol.shots=8",
        "protocol.graph=transductive", "protocol.graph=none"}) {
    EXPECT_NE(id(base_text, {change}), before) << change;
  }
  EXPECT_NE(id(base_text, {"head=cosine", "head.scale=3"}), id(base_text, {"head=cosine"}));
}

TEST_F(IdentityTest, ChangesWithTheVersionOfAComponent) {
  std::vector<ComponentInfo> newer = components();
  const auto bump = [&](const std::string& kind, const std::string& name) {
    for (ComponentInfo& info : newer) {
      if (info.kind == kind && info.name == name) ++info.version;
    }
    return newer;
  };
  const std::string before = id_with(components());
  const std::string nested = id_with(components(), {"gnn=ga_net"});
  EXPECT_EQ(id_with(bump("gnn", "gin")), before);
  EXPECT_NE(id_with(bump("gnn", "gcn")), before);
  EXPECT_NE(id_with(newer, {"gnn=ga_net"}), nested);  // a gcn is inside
}

TEST_F(IdentityTest, FollowsTheBytesOfTheDataAndNotTheirPlace) {
  put("a/rose/1.jpg", "one");
  put("a/lily/2.jpg", "two");
  put("b/rose/1.jpg", "one");
  put("b/lily/2.jpg", "two");
  const auto of = [&](const std::string& folder) {
    return id(base_text, {"dataset=folder", "+dataset.root=" + (folder_ / folder).string()});
  };
  const std::string before = of("a");
  EXPECT_EQ(of("b"), before);
  put("b/.DS_Store", "hidden");
  EXPECT_EQ(of("b"), before);
  put("b/lily/2.jpg", "twO");
  EXPECT_NE(of("b"), before);
  put("b/lily/2.jpg", "two");
  EXPECT_EQ(of("b"), before);
}

TEST_F(IdentityTest, HoldsHashesInPlaceOfPaths) {
  const std::string file = put("weights.safetensors", "abc").string();
  const Plan made = plan(base_text, {"encoder.weights=" + file});
  EXPECT_EQ(made.identity(0).at("encoder").at("params").at("weights"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(plan(base_text).identity(0).at("encoder").at("params").at("weights"), "");
}

// The names of trials that people have results for. They change only when identity_version does.
TEST_F(IdentityTest, IsPinned) {
  put("data/rose/1.jpg", "one");
  put("data/lily/2.jpg", "two");
  const std::filesystem::path file =
      std::filesystem::path(ESPALIER_SOURCE_DIR) / "tests/data/identity.json";
  const Json cases = parse_json(read_file(file), file.string());
  ASSERT_GE(cases.size(), 6u);
  for (const Json& one : cases) {
    std::vector<std::string> overrides = one.at("overrides");
    for (std::string& text : overrides) {
      if (const std::size_t at = text.find("DATA"); at != std::string::npos) {
        text.replace(at, 4, (folder_ / "data").string());
      }
    }
    const Plan made = plan(base_text, overrides);
    EXPECT_EQ(canonical_json(made.identity(0)), canonical_json(one.at("identity")));
    EXPECT_EQ(hex(made.trials()[0].trial_id), one.at("trial_id").get<std::string>())
        << one.at("overrides");
    EXPECT_EQ(hex(made.trials()[0].combo_id), one.at("combo_id").get<std::string>())
        << one.at("overrides");
  }
}

// tools/trial_id.py knows nothing of Espalier but docs/identity.md.
TEST_F(IdentityTest, CanBeComputedInPython) {
  const auto limit = std::chrono::seconds(60);
  const auto python = [&](const std::string& script) {
    return run_process({"/bin/sh", "-c", script}, limit);
  };
  if (!python("command -v python3").ok()) GTEST_SKIP() << "there is no python3";
  const std::string tool = std::string(ESPALIER_SOURCE_DIR) + "/tools/trial_id.py";

  const Plan made = plan(base_text, {"encoder=classical,clip", "gnn=gcn,mlp,ga_net", "seed=1,2",
                                     "nodes.fuse=image,concat", "captioner=attributes",
                                     "train.lr=1e-3,1e-7,0.1", "train.epochs=100"});
  std::string lines;
  for (std::size_t i = 0; i < made.trials().size(); ++i) {
    Json stages = Json::object();
    Json inputs = Json::object();
    for (const StageRef& stage : made.stages(i)) {
      stages[stage.name] = stage.key;
      inputs[stage.name] = Json::parse(stage.inputs);
    }
    lines += Json{{"trial_id", hex(made.trials()[i].trial_id)},
                  {"combo_id", hex(made.trials()[i].combo_id)},
                  {"identity", made.identity(i)},
                  {"config", made.config(i)},
                  {"stages", stages},
                  {"stage_inputs", inputs}}
                 .dump() +
             "\n";
  }
  const std::string file = put("plan.jsonl", lines).string();
  const ProcessResult good = python("python3 -B " + tool + " < " + file);
  EXPECT_TRUE(good.ok()) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("72 trials, 0 differences"));

  lines[lines.find("\"hops\":2", lines.find("\"identity\"")) + 7] = '3';
  put("plan.jsonl", lines);
  EXPECT_FALSE(python("python3 -B " + tool + " < " + file).ok());

  put("data/rose/1.jpg", "one");
  put("data/a-b/2.jpg", "two");
  put("data/.hidden/3", "three");
  const std::string data = (folder_ / "data").string();
  const ProcessResult content = python("python3 -B " + tool + " --content " + data);
  EXPECT_EQ(content.out, "sha256:" + hex(ContentHasher().digest(data)) + "\n") << content.err;

  put("data/notes.csv", "four");
  std::filesystem::create_directory_symlink("rose", folder_ / "data/again");
  std::filesystem::create_directory_symlink("../..", folder_ / "data/rose/up");
  const ProcessResult classes = python("python3 -B " + tool + " --classes " + data);
  const Digest counted = ContentHasher().digest(data, ContentScope::class_folders);
  EXPECT_EQ(classes.out, "sha256-of-classes:" + hex(counted) + "\n") << classes.err;
}

}  // namespace
}  // namespace espalier
