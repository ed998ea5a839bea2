#include <espalier/peft/merge.hpp>

#include <ATen/ops/equal.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <set>
#include <string>
#include <vector>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_other_file = std::size_t{256} << 20;

// Whether a stored tensor is a weight of this name: task models put a prefix before it, and early
// checkpoints call a norm's weight gamma and its bias beta.
bool stores(std::string stored, const std::string& name) {
  for (const auto& [old_end, new_end] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}}) {
    const std::string end = old_end;
    if (stored.ends_with(end)) stored = stored.substr(0, stored.size() - end.size()) + new_end;
  }
  return stored == name || stored.ends_with("." + name);
}

std::vector<const WeightSlot*> replaced_in(const AdaptableEncoder& encoder) {
  std::vector<const WeightSlot*> replaced;
  for (const WeightSlot& weight : encoder.weights()) {
    if (!weight.slot->is_same(weight.frozen)) replaced.push_back(&weight);
  }
  return replaced;
}

void require_empty(const fs::path& folder) {
  if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return;
  throw Error({.what = "the folder to write is there already",
               .where = folder.string(),
               .expected = "none, or an empty one",
               .found = fs::is_directory(folder) ? "files in it" : "a file",
               .fix = "name another folder, or remove this one"});
}

void require_found(const std::vector<const WeightSlot*>& replaced,
                   const std::set<const WeightSlot*>& found, const fs::path& base) {
  for (const WeightSlot* weight : replaced) {
    if (found.contains(weight)) continue;
    throw Error({.what = "a changed weight is not in the model's files",
                 .where = base.string(),
                 .expected = weight->name,
                 .found = "no tensor of this name",
                 .fix = "merge into the folder that holds the weights themselves"});
  }
}

bool is_weights(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") ||
         name.ends_with(".bin") || name.ends_with(".bin.index.json");
}

// Tokenizers, settings, what sentence-transformers keeps in folders.
void copy_others(const fs::path& base, const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(base)) {
    const fs::path to = folder / fs::relative(entry.path(), base);
    if (entry.is_directory()) fs::create_directories(to);
    if (!entry.is_regular_file() || is_weights(entry.path())) continue;
    write_file(to, read_file(entry.path(), largest_other_file));
  }
}

}  // namespace

std::int64_t write_merged(const fs::path& base, const AdaptableEncoder& encoder,
                          const fs::path& folder) {
  require_empty(folder);
  const SafeTensors file = open_weights(base);
  const std::vector<const WeightSlot*> replaced = replaced_in(encoder);
  std::set<const WeightSlot*> found;
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::int64_t changed = 0;
  for (const TensorView& view : file.tensors()) {
    at::Tensor tensor = to_tensor(file, view);
    const auto weight = std::ranges::find_if(
        replaced, [&](const WeightSlot* slot) { return stores(view.name, slot->name); });
    if (weight != replaced.end() && found.insert(*weight).second) {
      const at::Tensor now = (*weight)->slot->detach().to(at::kCPU, tensor.scalar_type());
      changed += at::equal(now.view_as(tensor), tensor) ? 0 : 1;
      tensor = now.view_as(tensor);
    }
    tensors.emplace_back(view.name, tensor);
  }
  require_found(replaced, found, base);
  fs::path temporary = folder;
  temporary += ".partial";
  fs::remove_all(temporary);
  fs::create_directories(temporary);
  copy_others(base, temporary);
  write_tensors(temporary / "model.safetensors", tensors, file.metadata());
  fs::remove(folder);
  fs::rename(temporary, folder);
  return changed;
}

}  // namespace espalier
