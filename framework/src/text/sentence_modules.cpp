#include <array>
#include <espalier/core/file.hpp>
#include <espalier/core/python_json.hpp>
#include <espalier/text/sentence_modules.hpp>
#include <vector>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_modules_file = std::size_t{1} << 20;
constexpr std::size_t most_problems = 10;

constexpr std::array<std::pair<const char*, SentencePooling>, 4> poolings{
    {{"mean", SentencePooling::mean},
     {"cls", SentencePooling::cls},
     {"max", SentencePooling::max},
     {"mean_sqrt_len_tokens", SentencePooling::mean_sqrt_length}}};

constexpr std::array<std::pair<const char*, const char*>, 6> pooling_flags{
    {{"pooling_mode_mean_tokens", "mean"},
     {"pooling_mode_cls_token", "cls"},
     {"pooling_mode_max_tokens", "max"},
     {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
     {"pooling_mode_weightedmean_tokens", "weightedmean"},
     {"pooling_mode_lasttoken", "lasttoken"}}};

const Json none;

const Json& member(const Json& object, const char* key) {
  if (!object.is_object()) return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_of(const Json& object, const char* key) {
  const Json& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

bool is(const Json& object, const char* key, bool value) {
  return member(object, key) == Json(value);
}

// `pooling_mode` wins over the older flags, and the mean is the default of both.
std::vector<std::string> modes_of(const Json& config) {
  const Json& given = member(config, "pooling_mode");
  std::vector<std::string> modes;
  for (const Json& mode : given.is_array() ? given : Json::array({given})) {
    if (!mode.is_null()) modes.push_back(mode.is_string() ? mode.get<std::string>() : mode.dump());
  }
  for (const auto& [key, mode] : pooling_flags) {
    if (given.is_null() && is(config, key, true)) modes.emplace_back(mode);
  }
  return modes.empty() ? std::vector<std::string>{"mean"} : modes;
}

bool inside(const fs::path& path) {
  if (path.is_absolute()) return false;
  for (const fs::path& part : path) {
    if (part == "..") return false;
  }
  return true;
}

class ModulesReader {
 public:
  ModulesReader(fs::path folder, Problems& problems)
      : folder_(std::move(folder)), file_(folder_ / "modules.json"), problems_(problems) {
    modules_.model = folder_;
  }

  SentenceModules read() {
    const Json list = read_json(file_);
    if (list.is_null()) return modules_;
    if (!list.is_array()) {
      bad(file_, "modules.json is no list", "[{\"type\", \"path\"}, ...]", list.type_name());
      return modules_;
    }
    read_prompt();
    for (const Json& module : list) {
      if (problems_.size() < most_problems) add(module);
    }
    return modules_;
  }

 private:
  void bad(const fs::path& file, std::string what, std::string expected, std::string found) {
    problems_.add({.what = std::move(what),
                   .where = file.string(),
                   .expected = std::move(expected),
                   .found = std::move(found),
                   .fix = {}});
  }

  // Null where the file cannot be read, which is a problem.
  Json read_json(const fs::path& file) {
    try {
      return parse_python_json(read_file(file, largest_modules_file), file.string());
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems_.add(problem);
      return nullptr;
    }
  }

  void add(const Json& module) {
    const std::string type = text_of(module, "type");
    const std::string kind = type.substr(type.rfind('.') + 1);
    const Json& path = member(module, "path");
    if (!path.is_string() || !inside(path.get<std::string>())) {
      return bad(file_, "a module's path leads out of the folder", "a folder in this one",
                 path.dump());
    }
    const fs::path folder = path == "" ? folder_ : folder_ / path.get<std::string>();
    if (kind == "Transformer" || kind == "CLIPModel") {
      modules_.model = folder;
    } else if (kind == "Pooling") {
      read_pooling(folder / "config.json");
    } else if (kind == "Normalize") {
      read_normalize(folder / "config.json");
    } else {
      bad(file_, "a module of the sentence encoder is not known here",
          "Transformer, Pooling, Normalize", type.empty() ? module.dump() : type);
    }
  }

  void read_normalize(const fs::path& file) {
    modules_.normalize = true;
    if (!fs::exists(file)) return;
    const Json config = read_json(file);
    for (const char* key : {"module_input_name", "module_output_name"}) {
      const std::string name = text_of(config, key);
      if (name.empty() || name == "sentence_embedding") continue;
      bad(file, "normalising something else than the sentence embedding is not known here",
          "`" + std::string(key) + "`: sentence_embedding", name);
    }
  }

  void read_pooling(const fs::path& file) {
    const Json config = read_json(file);
    if (config.is_null()) return;
    if (!config.is_object()) {
      return bad(file, "the configuration of a pooling is no object", "{...}", config.type_name());
    }
    const std::string output = text_of(config, "output_key");
    if (!output.empty() && output != "sentence_embedding") return;
    if (pooled_) {
      bad(file_, "two poolings give the sentence embedding", "one Pooling module",
          "a second one in " + file.string());
    }
    pooled_ = true;
    if (is(config, "include_prompt", false) && !modules_.prompt.empty()) {
      bad(file, "leaving the prompt out of the pooling is not known here",
          "`include_prompt`: true, or no default prompt", "`include_prompt`: false");
    }
    set_pooling(file, modes_of(config));
  }

  void set_pooling(const fs::path& file, const std::vector<std::string>& modes) {
    std::string found;
    for (const std::string& mode : modes) found += (found.empty() ? "" : ", ") + mode;
    for (const auto& [name, pooling] : poolings) {
      if (found == name) return void(modules_.pooling = pooling);
    }
    bad(file, "this way of pooling a sentence is not known here",
        "exactly one of mean, cls, max, mean_sqrt_len_tokens", found);
  }

  void read_prompt() {
    const fs::path file = folder_ / "config_sentence_transformers.json";
    if (!fs::exists(file)) return;
    const Json config = read_json(file);
    const std::string name = text_of(config, "default_prompt_name");
    if (name.empty()) return;
    const Json& prompt = member(member(config, "prompts"), name.c_str());
    if (!prompt.is_string()) {
      return bad(file, "the default prompt is not among the prompts",
                 "a text under `prompts`, \"" + name + "\"", prompt.dump());
    }
    modules_.prompt = prompt.get<std::string>();
  }

  fs::path folder_, file_;
  Problems& problems_;
  SentenceModules modules_;
  bool pooled_ = false;
};

}  // namespace

SentenceModules read_sentence_modules(const fs::path& folder, Problems& problems) {
  if (!fs::exists(folder / "modules.json")) {
    SentenceModules plain;
    plain.model = folder;
    return plain;
  }
  return ModulesReader(folder, problems).read();
}

fs::path model_folder(const fs::path& folder) {
  Problems said_elsewhere;
  return read_sentence_modules(folder, said_elsewhere).model;
}

}  // namespace espalier
