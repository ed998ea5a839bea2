#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <map>
#include <set>

#include "safetensors_internal.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using WeightMap = std::map<std::string, std::string>;

bool plain_name(const std::string& name) {
  return !name.empty() && name != ".." && name != "." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

WeightMap read_weight_map(const fs::path& file) {
  const Json index = parse_json(read_file(file), file.string());
  const Json map = index.is_object() ? index.value("weight_map", Json()) : Json();
  Problems problems;
  const auto wrong = [&](std::string what, std::string found) {
    problems.add({.what = std::move(what),
                  .where = file.string(),
                  .expected = R"({"weight_map": {tensor: file in this folder}})",
                  .found = std::move(found),
                  .fix = {}});
  };
  WeightMap out;
  if (!map.is_object() || map.empty()) {
    wrong("an index of shards without weight_map", map.is_null() ? "none" : map.type_name());
    problems.throw_if_any();
  }
  for (const auto& [tensor, shard] : map.items()) {
    if (!shard.is_string() || !plain_name(shard.get<std::string>())) {
      wrong("tensor \"" + tensor + "\": no file of this folder", shard.dump());
      if (problems.size() >= 10) break;
    } else {
      out[tensor] = shard.get<std::string>();
    }
  }
  problems.throw_if_any();
  return out;
}

[[noreturn]] void no_weights(const fs::path& folder) {
  const bool pickle = fs::exists(folder / "pytorch_model.bin") ||
                      fs::exists(folder / "pytorch_model.bin.index.json");
  throw Error({.what = "no safetensors weights in a folder",
               .where = folder.string(),
               .expected = "model.safetensors or model.safetensors.index.json",
               .found = pickle ? "pytorch_model.bin, a pickle, which can run any code when opened"
                               : "neither",
               .fix = pickle ? "convert it in Python: transformers.AutoModel.from_pretrained(DIR)"
                               ".save_pretrained(DIR, safe_serialization=True)"
                             : "name the folder that the model was downloaded to"});
}

void check_against(const WeightMap& map, const std::map<std::string, std::string>& owner,
                   const fs::path& file, Problems& problems) {
  for (const auto& [tensor, shard] : map) {
    const auto it = owner.find(tensor);
    if (it != owner.end() && it->second == shard) continue;
    problems.add({.what = "a shard lacks tensor \"" + tensor + "\"",
                  .where = file.string(),
                  .expected = "in " + shard,
                  .found = it == owner.end() ? "in none" : "in " + it->second,
                  .fix = {}});
  }
  for (const auto& [tensor, shard] : owner) {
    if (map.contains(tensor)) continue;
    problems.add({.what = "a shard has tensor \"" + tensor + "\", which the index lacks",
                  .where = file.string(),
                  .expected = {},
                  .found = "in " + shard,
                  .fix = {}});
  }
}

}  // namespace

SafeTensors SafeTensors::open_folder(const fs::path& folder) {
  if (fs::exists(folder / "model.safetensors")) return open(folder / "model.safetensors");
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index)) no_weights(folder);
  const WeightMap map = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : map) shards.insert(shard);

  auto set = std::make_shared<detail::TensorSet>();
  set->path = folder;
  std::map<std::string, std::string> owner;
  Problems problems;
  for (const std::string& shard : shards) try {
      const std::size_t before = set->tensors.size();
      detail::read_safetensors(folder / shard, *set);
      for (std::size_t i = before; i < set->tensors.size(); ++i) {
        owner[set->tensors[i].name] = shard;
      }
    } catch (const Error& error) {
      for (const Problem& problem : error.problems()) problems.add(problem);
    }
  if (problems.empty()) check_against(map, owner, index, problems);
  problems.throw_if_any();
  return SafeTensors(std::move(set));
}

}  // namespace espalier
