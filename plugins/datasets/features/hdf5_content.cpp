#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <espalier/tensor/dtype.hpp>
#include <limits>
#include <utility>

#include "datasets/features/content.hpp"

namespace espalier::given {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 10;
// Deflate packs at most 1032 bytes into one.
constexpr std::size_t most_packed = 1032;
constexpr unsigned most_filters = 8;
constexpr hsize_t largest_chunk = hsize_t{256} << 20;  // bytes
constexpr hsize_t most_names = 100'000;

// Owns an identifier of the library.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const noexcept { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// As h5py stores numpy.float16.
Handle half_type() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

// Types that the library converts without a doubt about what they mean.
bool is_float(hid_t type) {
  for (const hid_t known : {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE}) {
    if (H5Tequal(type, known) > 0) return true;
  }
  return H5Tequal(type, half_type()) > 0;
}

bool is_whole(hid_t type) {
  for (const hid_t known : {H5T_STD_I64LE, H5T_STD_I32LE, H5T_STD_I16LE, H5T_STD_I8LE,
                            H5T_STD_U64LE, H5T_STD_U32LE, H5T_STD_U16LE, H5T_STD_U8LE}) {
    if (H5Tequal(type, known) > 0) return true;
  }
  return false;
}

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  auto* const list = static_cast<std::vector<std::string>*>(names);
  list->emplace_back(name);
  return list->size() < most_names ? 0 : 1;
}

class Hdf5Reader {
 public:
  explicit Hdf5Reader(const std::filesystem::path& file)
      : path_(file), size_(std::filesystem::file_size(file)), file_(open()) {}

  Content read() {
    const std::optional<double> version = attribute("features_format");
    require_version(path_, static_cast<std::int64_t>(version.value_or(format_version)));
    Content content;
    H5Literate(file_, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &content.names);
    content.images = matrix("image_features");
    content.texts = matrix("text_features");
    content.classes = matrix("class_features");
    content.labels = numbers("labels");
    content.ids = texts("ids");
    content.splits = texts("splits");
    content.class_names = texts("class_names");
    content.captions = texts("texts");
    content.logit_scale = attribute("logit_scale");
    return content;
  }

 private:
  struct Opened {
    Handle data;
    Handle type;
    std::vector<std::int64_t> shape;
    std::size_t elements = 0;
    std::size_t budget = 0;  // bytes that the part may take once it is unpacked
  };

  [[noreturn]] void refuse(const std::string& part, std::string expected, std::string found,
                           std::string fix = {}) const {
    throw Error(part_problem(path_, part, std::move(expected), std::move(found), std::move(fix)));
  }
  void require(bool holds, const std::string& part, const char* expected,
               const std::string& found) const {
    if (!holds) refuse(part, expected, found);
  }

  [[nodiscard]] Handle open() const {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    Handle file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
    if (file >= 0) return file;
    throw Error({.what = "a file of features cannot be opened",
                 .where = path_.string(),
                 .expected = "an HDF5 file that was closed after writing",
                 .found = "a damaged one, or one that somebody writes to",
                 .fix = {}});
  }

  // Empty where there is no such part.
  [[nodiscard]] std::optional<Opened> opened(const std::string& name) const {
    if (H5Lexists(file_, name.c_str(), H5P_DEFAULT) <= 0) return {};
    H5L_info_t link{};
    const bool hard =
        H5Lget_info(file_, name.c_str(), &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
    require(hard, name, "a dataset in this file", "a link");
    Handle data(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
    require(data >= 0, name, "a dataset", "something else, or a damaged one");
    Handle type(H5Dget_type(data), H5Tclose);
    require(type >= 0, name, "a type", "none");
    Opened part{std::move(data), std::move(type), {}, 1, 0};
    measure(name, part);
    part.budget = unpacked_budget(name, part);
    return part;
  }

  void measure(const std::string& name, Opened& part) const {
    const Handle space(H5Dget_space(part.data), H5Sclose);
    require(space >= 0 && H5Sget_simple_extent_type(space) == H5S_SIMPLE, name,
            "a list or a matrix", "one value, or nothing");
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
    require(rank >= 1 && rank <= 2, name, "one or two dimensions", std::to_string(rank));
    for (int i = 0; i < rank; ++i) {
      const hsize_t size = sizes[static_cast<std::size_t>(i)];
      const bool fits = size <= std::numeric_limits<std::int32_t>::max() * hsize_t{64} &&
                        !__builtin_mul_overflow(part.elements, size, &part.elements);
      require(fits, name, "a shape that fits into memory", std::to_string(size));
      part.shape.push_back(static_cast<std::int64_t>(size));
    }
  }

  // Storage in this file alone, as it is or packed by the library's own filters.
  [[nodiscard]] std::size_t unpacked_budget(const std::string& name, const Opened& part) const {
    const Handle made(H5Dget_create_plist(part.data), H5Pclose);
    require(made >= 0, name, "storage", "none");
    require(H5Pget_external_count(made) == 0, name, "storage in this file", "storage in another");
    const H5D_layout_t layout = H5Pget_layout(made);
    if (layout == H5D_CONTIGUOUS || layout == H5D_COMPACT) return size_;
    require(layout == H5D_CHUNKED, name, "contiguous or chunked storage", "virtual storage");
    const int filters = H5Pget_nfilters(made);
    require(filters >= 0 && filters <= static_cast<int>(most_filters), name, "few filters", "many");
    for (unsigned i = 0; i < static_cast<unsigned>(filters); ++i) {
      std::size_t none = 0;
      const H5Z_filter_t filter =
          H5Pget_filter2(made, i, nullptr, &none, nullptr, 0, nullptr, nullptr);
      const bool known = filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
                         filter == H5Z_FILTER_FLETCHER32;
      require(known, name, "no compression, or gzip", "the filter " + std::to_string(filter));
    }
    require_small_chunks(name, part, made);
    const hsize_t stored = H5Dget_storage_size(part.data);
    return std::min<hsize_t>(stored, size_) * most_packed;
  }

  void require_small_chunks(const std::string& name, const Opened& part, hid_t made) const {
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Pget_chunk(made, static_cast<int>(sizes.size()), sizes.data());
    hsize_t bytes = H5Tget_size(part.type);
    bool fits = rank == static_cast<int>(part.shape.size());
    for (int i = 0; fits && i < rank; ++i) {
      fits = !__builtin_mul_overflow(bytes, sizes[static_cast<std::size_t>(i)], &bytes);
    }
    require(fits && bytes <= largest_chunk, name, "chunks of at most 256 MiB", "larger ones");
  }

  void require_room(const std::string& name, const Opened& part) const {
    std::size_t bytes = 0;
    const bool fits = !__builtin_mul_overflow(part.elements, H5Tget_size(part.type), &bytes) &&
                      bytes <= part.budget;
    require(fits, name, "no more numbers than the file has bytes for", shape_text(part.shape));
  }

  void read_into(const std::string& name, const Opened& part, hid_t type, void* to) const {
    if (part.elements == 0) return;
    const bool done = H5Dread(part.data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to) >= 0;
    require(done, name, "numbers that can be read", "damaged storage");
  }

  [[nodiscard]] std::optional<Matrix> matrix(const std::string& name) const {
    const std::optional<Opened> part = opened(name);
    if (!part) return {};
    require(is_float(part->type), name, "float32, float64 or float16", "another type");
    require_room(name, *part);
    auto values = std::make_shared<std::vector<float>>(part->elements);
    read_into(name, *part, H5T_NATIVE_FLOAT, values->data());
    return Matrix{.shape = part->shape, .values = *values, .owner = values};
  }

  [[nodiscard]] std::optional<std::vector<std::int64_t>> numbers(const std::string& name) const {
    const std::optional<Opened> part = opened(name);
    if (!part) return {};
    require(is_whole(part->type), name, "whole numbers, such as int64", "another type");
    require(part->shape.size() == 1, name, "one dimension", shape_text(part->shape));
    require_room(name, *part);
    std::vector<std::int64_t> values(part->elements);
    read_into(name, *part, H5T_NATIVE_INT64, values.data());
    return values;
  }

  // Texts of variable length are not read: on a damaged file HDF5 1.10 writes beyond its memory.
  [[nodiscard]] std::optional<Texts> texts(const std::string& name) const {
    const std::optional<Opened> part = opened(name);
    if (!part) return {};
    const bool fixed =
        H5Tget_class(part->type) == H5T_STRING && H5Tis_variable_str(part->type) == 0;
    if (!fixed) {
      refuse(name, "texts of a fixed length", "another type",
             "f[\"" + name + "\"] = numpy.char.encode(LIST, \"utf-8\")");
    }
    require(part->shape.size() == 1, name, "one dimension", shape_text(part->shape));
    const std::size_t length = H5Tget_size(part->type);
    require(length <= longest_text, name, "texts of at most 64 KiB", std::to_string(length));
    require_room(name, *part);
    std::vector<char> bytes(part->elements * length);
    read_into(name, *part, part->type, bytes.data());
    Texts texts(part->elements);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const char* const text = bytes.data() + i * length;
      texts[i].assign(text, ::strnlen(text, length));
    }
    return texts;
  }

  [[nodiscard]] std::optional<double> attribute(const std::string& name) const {
    if (H5Aexists(file_, name.c_str()) <= 0) return {};
    const Handle attribute(H5Aopen(file_, name.c_str(), H5P_DEFAULT), H5Aclose);
    require(attribute >= 0, name, "a number", "a damaged attribute");
    const Handle space(H5Aget_space(attribute), H5Sclose);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    const bool one = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    require(one && type >= 0 && (is_float(type) || is_whole(type)), name, "a number",
            "something else");
    double value = 0;
    require(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value) >= 0, name, "a number",
            "a damaged attribute");
    return value;
  }

  const std::filesystem::path& path_;
  std::size_t size_;
  Handle file_;
};

}  // namespace

Content read_hdf5(const std::filesystem::path& file) { return Hdf5Reader(file).read(); }

}  // namespace espalier::given
