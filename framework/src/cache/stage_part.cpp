#include "cache/stage_part.hpp"

#include "tensor/seal.hpp"
#include <algorithm>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <optional>

namespace espalier {
namespace {

constexpr const char* ids_name = "id";
constexpr const char* ids_end_name = "id_end";
constexpr const char* ids_bytes_name = "id_bytes";
constexpr const char* settings_name = "settings";
constexpr const char* version_name = "stage_part";
constexpr const char* version = "2";

std::string_view bytes_of(const TensorView& tensor) {
  return {reinterpret_cast<const char*>(tensor.data), tensor.bytes};
}

TensorView view_of(std::string name, DType dtype, std::size_t count, const void* data,
                   std::size_t bytes) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = {static_cast<std::int64_t>(count)},
          .data = static_cast<const std::byte*>(data),
          .bytes = bytes};
}

Metadata metadata(const Json& settings) {
  return {{version_name, version}, {settings_name, canonical_json(settings)}};
}

std::string entry_of(const SafeTensors& file, const char* name) {
  const auto found = file.metadata().find(name);
  return found == file.metadata().end() ? "" : found->second;
}

bool is_list(const TensorView* tensor, DType dtype) {
  return tensor != nullptr && tensor->dtype == dtype && tensor->shape.size() == 1;
}

std::optional<StagePart::Fault> fault_of(const SafeTensors& file) {
  using Fault = StagePart::Fault;
  const std::string written = entry_of(file, version_name);
  if (written.empty()) return Fault{false, "it is no part of a cache entry"};
  if (written != version) return Fault{written > version, "its layout is version " + written};
  if (!is_list(file.find(ids_end_name), DType::i64) ||
      !is_list(file.find(ids_bytes_name), DType::u8)) {
    return Fault{false, "it does not name its samples"};
  }
  if (seal_holds(file)) return std::nullopt;
  return Fault{false, "its bytes have another SHA-256 than it says"};
}

std::vector<std::string> ids_of(const SafeTensors& file) {
  const TensorView& end = file.at(ids_end_name);
  std::vector<std::string> ids;
  for (std::size_t row = 0; row < end.bytes / sizeof(std::int64_t); ++row) {
    ids.push_back(packed_text(end, file.at(ids_bytes_name), row));
  }
  return ids;
}

std::int64_t number_at(const TensorView& numbers, std::size_t index) {
  std::int64_t value = 0;
  std::memcpy(&value, numbers.data + index * sizeof value, sizeof value);
  return value;
}

}  // namespace

PackedTexts::PackedTexts(std::span<const std::string> texts) {
  for (const std::string& text : texts) {
    bytes += text;
    end.push_back(static_cast<std::int64_t>(bytes.size()));
  }
}

std::vector<TensorView> PackedTexts::views(const std::string& name) const {
  return {view_of(name + "_end", DType::i64, end.size(), end.data(), end.size() * sizeof end[0]),
          view_of(name + "_bytes", DType::u8, bytes.size(), bytes.data(), bytes.size())};
}

std::string packed_text(const TensorView& end, const TensorView& bytes, std::size_t row) {
  const bool inside = (row + 1) * sizeof(std::int64_t) <= end.bytes;
  const std::int64_t from = row == 0 || !inside ? 0 : number_at(end, row - 1);
  const std::int64_t to = inside ? number_at(end, row) : -1;
  if (from >= 0 && from <= to && to <= static_cast<std::int64_t>(bytes.bytes)) {
    return std::string(bytes_of(bytes).substr(static_cast<std::size_t>(from),
                                              static_cast<std::size_t>(to - from)));
  }
  throw Error({.what = "a cache entry cannot be used: its texts lie outside of it",
               .where = {},
               .expected = {},
               .found = {},
               .fix = "espalier cache prune --older 0 removes what is there"});
}

std::variant<StagePart, StagePart::Fault> StagePart::open(const std::filesystem::path& path) try {
  require_own_file(path);
  const SafeTensors file = SafeTensors::open(path);
  if (std::optional<Fault> fault = fault_of(file)) return *std::move(fault);
  StagePart part;
  part.ids_ = ids_of(file);
  part.settings_ = parse_json(entry_of(file, settings_name), settings_name);
  part.tensors_ = file.tensors();
  part.owner_ = file.keep_alive();
  return part;
} catch (const Error& error) {
  const Problem& problem = error.problems().front();
  return Fault{false, problem.found.empty() ? problem.what : problem.what + ": " + problem.found};
}

StagePart::StagePart(std::span<const std::string> ids, std::span<const TensorView> tensors,
                     const Json& settings)
    : ids_(ids.begin(), ids.end()), settings_(settings), tensors_(tensors.begin(), tensors.end()) {
  const PackedTexts packed(ids);
  for (TensorView& view : packed.views(ids_name)) tensors_.push_back(std::move(view));
  std::size_t size = 0;
  for (const TensorView& tensor : tensors_) size += tensor.bytes;
  const auto bytes = std::make_shared<std::vector<std::byte>>(size);
  std::byte* to = bytes->data();
  for (TensorView& tensor : tensors_) {
    if (tensor.bytes > 0) std::memcpy(to, tensor.data, tensor.bytes);
    tensor.data = to;
    to += tensor.bytes;
  }
  owner_ = bytes;
}

void StagePart::write(const std::filesystem::path& file) const {
  write_safetensors(file, tensors_, sealed(tensors_, metadata(settings_)));
}

const TensorView* StagePart::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorView& view) { return view.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

const TensorView& StagePart::at(std::string_view name) const {
  if (const TensorView* view = find(name)) return *view;
  throw Error({.what = "a cache entry has no \"" + std::string(name) + "\"",
               .where = {},
               .expected = {},
               .found = {},
               .fix = "remove it: espalier cache prune"});
}

std::string StagePart::checksum() const { return seal_of(tensors_, metadata(settings_)); }

std::int64_t StagePart::count_samples(const std::filesystem::path& path) try {
  require_own_file(path);
  const SafeTensors file = SafeTensors::open(path);
  const TensorView* ends = file.find(ids_end_name);
  return is_list(ends, DType::i64) ? ends->shape[0] : 0;
} catch (const Error&) {
  return 0;
}

}  // namespace espalier
