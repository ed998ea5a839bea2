#include <algorithm>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/tensor/safetensors.hpp>
#include <map>
#include <nlohmann/json.hpp>

namespace espalier {
namespace {

std::vector<const TensorView*> ordered(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order;
  for (const TensorView& view : tensors) order.push_back(&view);
  std::sort(order.begin(), order.end(), [](const TensorView* a, const TensorView* b) {
    const std::size_t wide_a = size_of(a->dtype);
    const std::size_t wide_b = size_of(b->dtype);
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  return order;
}

void check(std::span<const TensorView> tensors, const std::filesystem::path& file) {
  Problems problems;
  std::vector<std::string_view> names;
  const auto wrong = [&](const TensorView& view, const std::string& what) {
    problems.add({.what = "tensor \"" + view.name + "\" " + what,
                  .where = file.string(),
                  .expected = {},
                  .found = std::string(to_string(view.dtype)) + " " + shape_text(view.shape) +
                           ", " + std::to_string(view.bytes) + " bytes",
                  .fix = {}});
  };
  for (const TensorView& view : tensors) {
    if (byte_count(view.dtype, view.shape) != view.bytes)
      wrong(view, "has bytes for another shape");
    if (view.name == "__metadata__") wrong(view, "has a reserved name");
    names.push_back(view.name);
  }
  std::sort(names.begin(), names.end());
  for (const TensorView& view : tensors) {
    const auto [first, last] = std::equal_range(names.begin(), names.end(), view.name);
    if (last - first > 1) wrong(view, "is there twice");
  }
  problems.throw_if_any();
}

std::string header_of(const std::vector<const TensorView*>& order,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorView* view : order) {
    header.push_back({view->name,
                      {{"dtype", to_string(view->dtype)},
                       {"shape", view->shape},
                       {"data_offsets", {offset, offset + view->bytes}}}});
    offset += view->bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  return out + text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& file, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  check(tensors, file);
  const auto order = ordered(tensors);
  const std::string header = header_of(order, metadata);
  std::vector<std::string_view> pieces{header};
  for (const TensorView* view : order) {
    pieces.emplace_back(reinterpret_cast<const char*>(view->data), view->bytes);
  }
  write_file(file, pieces);
}

}  // namespace espalier
