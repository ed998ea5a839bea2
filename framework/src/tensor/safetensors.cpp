#include <algorithm>
#include <cstring>
#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <map>
#include <optional>
#include <tuple>

#include "safetensors_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t max_header_bytes = std::size_t{64} << 20;
constexpr std::size_t max_problems = 10;
constexpr std::size_t max_dimensions = 64;

class SafetensorsReader {
 public:
  explicit SafetensorsReader(const std::filesystem::path& file)
      : file_(file), mapping_(MappedFile::open(file)) {}

  void read(detail::TensorSet& set) {
    const Json header = parse_header();
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        set.metadata.merge(metadata(entry));
      } else {
        add(name, entry);
      }
    }
    check_end();
    check_layout();
    problems_.throw_if_any();
    for (Placed& placed : placed_) {
      if (set.index.emplace(placed.view.name, set.tensors.size()).second) {
        set.tensors.push_back(std::move(placed.view));
      }
    }
    set.mappings.push_back(mapping_);
  }

 private:
  struct Placed {
    TensorView view;
    std::size_t begin;
    std::size_t end;
  };

  void problem(std::string what, std::string expected, std::string found) {
    problems_.add({.what = std::move(what),
                   .where = file_.string(),
                   .expected = std::move(expected),
                   .found = std::move(found),
                   .fix = "download or export the file again"});
    if (problems_.size() >= max_problems) problems_.throw_if_any();
  }

  Json parse_header() {
    const std::size_t size = mapping_->size();
    std::uint64_t length = 0;
    if (size >= sizeof length) std::memcpy(&length, mapping_->data(), sizeof length);
    if (size < sizeof length || length > size - sizeof length) {
      problem("a safetensors file is cut off or is something else",
              "a header of " + std::to_string(length) + " bytes after the first 8",
              std::to_string(size) + " bytes in all");
      problems_.throw_if_any();
    }
    if (length > max_header_bytes) {
      problem("a safetensors header is too long", "at most " + std::to_string(max_header_bytes),
              std::to_string(length) + " bytes");
      problems_.throw_if_any();
    }
    buffer_ = mapping_->data() + sizeof length + length;
    buffer_size_ = size - sizeof length - static_cast<std::size_t>(length);
    const std::string_view text(reinterpret_cast<const char*>(mapping_->data()) + sizeof length,
                                static_cast<std::size_t>(length));
    Json header =
        parse_json(text, file_.string() + " (header)", {.bytes = max_header_bytes, .depth = 8});
    if (!header.is_object()) {
      problem("a safetensors header is no JSON object", "{\"name\": {...}}", header.type_name());
      problems_.throw_if_any();
    }
    return header;
  }

  std::map<std::string, std::string> metadata(const Json& entry) {
    std::map<std::string, std::string> out;
    const bool strings = entry.is_object() && std::all_of(entry.begin(), entry.end(),
                                                          [](auto& v) { return v.is_string(); });
    if (!strings) {
      problem("wrong __metadata__", "an object whose values are strings", entry.type_name());
      return out;
    }
    for (const auto& [key, value] : entry.items()) out[key] = value.template get<std::string>();
    return out;
  }

  static std::optional<std::vector<std::int64_t>> sizes(const Json& entry, const char* key) {
    const auto it = entry.find(key);
    if (it == entry.end() || !it->is_array() || it->size() > max_dimensions) return {};
    std::vector<std::int64_t> out;
    for (const Json& value : *it) {
      const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{1}
                                                                                        << 62;
      if (!fits) return {};
      out.push_back(value.get<std::int64_t>());
    }
    return out;
  }

  void add(const std::string& name, const Json& entry) {
    const std::string subject = "tensor \"" + name + "\": ";
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) {
      return problem(subject + "no data type", R"({"dtype", "shape", "data_offsets"})",
                     entry.type_name());
    }
    const auto dtype_name = entry["dtype"].get<std::string>();
    const auto dtype = dtype_of(dtype_name);
    if (!dtype) return problem(subject + "unknown data type", "F32, F16, BF16, ...", dtype_name);
    auto shape = sizes(entry, "shape");
    if (!shape) return problem(subject + "wrong shape", "a list of sizes", entry.dump());
    const auto offsets = sizes(entry, "data_offsets");
    if (!offsets || offsets->size() != 2) {
      return problem(subject + "wrong data_offsets", "[begin, end]", entry.dump());
    }
    const auto begin = static_cast<std::size_t>((*offsets)[0]);
    const auto end = static_cast<std::size_t>((*offsets)[1]);
    const auto bytes = byte_count(*dtype, *shape);
    const std::string range = "bytes " + std::to_string(begin) + " to " + std::to_string(end);
    if (begin > end) {
      return problem(subject + "ends before it begins", "[begin, end]", range);
    }
    if (!bytes || *bytes != end - begin) {
      return problem(
          subject + "its bytes do not fit its shape",
          bytes ? std::to_string(*bytes) + " bytes for " + dtype_name + " " + shape_text(*shape)
                : "sizes whose product fits 64 bits",
          range);
    }
    if (end > buffer_size_) {
      beyond_.push_back(name);
      needed_ = std::max(needed_, end);
      return;
    }
    placed_.push_back({{name, *dtype, std::move(*shape), buffer_ + begin, *bytes}, begin, end});
  }

  // A file that was cut off lacks many tensors for one reason.
  void check_end() {
    if (beyond_.empty()) return;
    const std::string others =
        beyond_.size() == 1 ? "" : " and " + std::to_string(beyond_.size() - 1) + " more";
    problem("the file is cut off before the end of tensor \"" + beyond_.front() + "\"" + others,
            std::to_string(needed_) + " bytes of tensors", std::to_string(buffer_size_));
  }

  void check_layout() {
    if (!problems_.empty()) return;
    std::sort(placed_.begin(), placed_.end(), [](const Placed& a, const Placed& b) {
      return std::tie(a.begin, a.end, a.view.name) < std::tie(b.begin, b.end, b.view.name);
    });
    std::size_t at = 0;
    for (const Placed& placed : placed_) {
      if (placed.begin != at) {
        problem("tensor \"" + placed.view.name +
                    "\": " + (placed.begin < at ? "overlaps the one before it" : "a gap before it"),
                "a start at byte " + std::to_string(at), "byte " + std::to_string(placed.begin));
      }
      at = placed.end;
    }
    if (at != buffer_size_) {
      problem("a safetensors file has bytes that no tensor owns",
              std::to_string(at) + " bytes of tensors", std::to_string(buffer_size_) + " bytes");
    }
  }

  std::filesystem::path file_;
  std::shared_ptr<MappedFile> mapping_;
  const std::byte* buffer_ = nullptr;
  std::size_t buffer_size_ = 0;
  std::vector<Placed> placed_;
  std::vector<std::string> beyond_;  // tensors that end outside of the file
  std::size_t needed_ = 0;           // bytes of tensors, so that none would
  Problems problems_;
};

}  // namespace

void detail::read_safetensors(const std::filesystem::path& file, TensorSet& set) {
  SafetensorsReader(file).read(set);
}

SafeTensors SafeTensors::open(const std::filesystem::path& file) {
  auto set = std::make_shared<detail::TensorSet>();
  set->path = file;
  detail::read_safetensors(file, *set);
  return SafeTensors(std::move(set));
}

const std::filesystem::path& SafeTensors::path() const { return set_->path; }

const std::vector<TensorView>& SafeTensors::tensors() const { return set_->tensors; }

std::vector<std::string> SafeTensors::names() const {
  std::vector<std::string> names;
  for (const TensorView& view : set_->tensors) names.push_back(view.name);
  return names;
}

const TensorView* SafeTensors::find(std::string_view name) const {
  const auto it = set_->index.find(name);
  return it == set_->index.end() ? nullptr : &set_->tensors[it->second];
}

const TensorView& SafeTensors::at(std::string_view name) const {
  if (const TensorView* view = find(name)) return *view;
  throw Error({.what = "no tensor \"" + std::string(name) + "\"",
               .where = set_->path.string(),
               .expected = {},
               .found = std::to_string(set_->tensors.size()) + " other tensors",
               .fix = did_you_mean(name, names())});
}

const std::map<std::string, std::string>& SafeTensors::metadata() const { return set_->metadata; }

std::shared_ptr<const void> SafeTensors::keep_alive() const { return set_; }

}  // namespace espalier
