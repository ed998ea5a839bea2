// Flowers102 (Nilsback and Zisserman 2008): 102 flowers, 8,189 photos. docs/datasets.md.
//
// jpg/image_NNNNN.jpg, imagelabels.mat (labels from 1), setid.mat (trnid, valid, tstid: numbers of
// photos). The archive has no names; those here are the ones that CLIP and CoOp use.
#include <matio.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <espalier/core/file.hpp>
#include <espalier/dataset/photo_dataset.hpp>
#include <espalier/plugin/component.hpp>
#include <memory>
#include <optional>

namespace {

namespace fs = std::filesystem;
using espalier::ListProblems;
using espalier::PhotoList;
using espalier::Problems;
using espalier::Split;

// clang-format off
constexpr std::string_view names[] = {
    "pink primrose", "hard-leaved pocket orchid", "canterbury bells", "sweet pea",
    "english marigold", "tiger lily", "moon orchid", "bird of paradise", "monkshood",
    "globe thistle", "snapdragon", "colt's foot", "king protea", "spear thistle", "yellow iris",
    "globe-flower", "purple coneflower", "peruvian lily", "balloon flower", "giant white arum lily",
    "fire lily", "pincushion flower", "fritillary", "red ginger", "grape hyacinth", "corn poppy",
    "prince of wales feathers", "stemless gentian", "artichoke", "sweet william", "carnation",
    "garden phlox", "love in the mist", "mexican aster", "alpine sea holly", "ruby-lipped cattleya",
    "cape flower", "great masterwort", "siam tulip", "lenten rose", "barbeton daisy", "daffodil",
    "sword lily", "poinsettia", "bolero deep blue", "wallflower", "marigold", "buttercup",
    "oxeye daisy", "common dandelion", "petunia", "wild pansy", "primula", "sunflower",
    "pelargonium", "bishop of llandaff", "gaura", "geranium", "orange dahlia", "pink-yellow dahlia",
    "cautleya spicata", "japanese anemone", "black-eyed susan", "silverbush", "californian poppy",
    "osteospermum", "spring crocus", "bearded iris", "windflower", "tree poppy", "gazania",
    "azalea", "water lily", "rose", "thorn apple", "morning glory", "passion flower", "lotus",
    "toad lily", "anthurium", "frangipani", "clematis", "hibiscus", "columbine", "desert-rose",
    "tree mallow", "magnolia", "cyclamen", "watercress", "canna lily", "hippeastrum", "bee balm",
    "ball moss", "foxglove", "bougainvillea", "camellia", "mallow", "mexican petunia", "bromelia",
    "blanket flower", "trumpet creeper", "blackberry lily",
};
// clang-format on

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;
constexpr double max_numbers = 1 << 20;  // and the largest that can be meant

struct Close {
  void operator()(mat_t* file) const { Mat_Close(file); }
  void operator()(matvar_t* variable) const { Mat_VarFree(variable); }
};

template <class Stored>
std::optional<std::vector<std::int64_t>> read_numbers(mat_t* mat, matvar_t& variable) {
  int start[] = {0, 0};
  int stride[] = {1, 1};
  int edge[] = {static_cast<int>(variable.dims[0]), static_cast<int>(variable.dims[1])};
  // Of a damaged file matio reads what it can and says nothing; zeros are no labels.
  std::vector<Stored> stored(variable.dims[0] * variable.dims[1]);
  if (Mat_VarReadData(mat, &variable, stored.data(), start, stride, edge) != 0) return {};
  std::vector<std::int64_t> numbers;
  for (const Stored one : stored) {
    const auto value = static_cast<double>(one);
    if (!(value >= 0 && value <= max_numbers && value == std::floor(value))) return {};
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

// Empty where the stream is damaged or too long.
std::optional<std::string> inflated(std::string_view stream) {
  z_stream state{};
  if (inflateInit(&state) != Z_OK) return {};
  std::string bytes;
  std::vector<Bytef> out(std::size_t{1} << 16);
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  int result = Z_OK;
  while (result == Z_OK && bytes.size() < max_file_bytes) {
    state.next_out = out.data();
    state.avail_out = static_cast<uInt>(out.size());
    result = inflate(&state, Z_NO_FLUSH);
    bytes.append(reinterpret_cast<const char*>(out.data()), out.size() - state.avail_out);
  }
  inflateEnd(&state);
  return result == Z_STREAM_END ? std::optional(std::move(bytes)) : std::nullopt;
}

// Version 4: fields of five numbers - format, rows, columns, whether imaginary, length of the name
// - with the name and the values behind them. matio makes room for what a field says, whatever the
// file holds.
bool is_whole_4(std::string_view bytes) {
  constexpr std::uint64_t bytes_of[] = {8, 4, 4, 2, 2, 1};  // by the tens digit of the format
  while (!bytes.empty()) {
    std::uint32_t field[5];
    if (bytes.size() < sizeof field) return false;
    std::memcpy(field, bytes.data(), sizeof field);
    bytes.remove_prefix(sizeof field);
    const std::uint32_t type = field[0] / 10 % 10;
    if (field[0] > 99 || type >= std::size(bytes_of)) return false;
    if (std::max({field[1], field[2], field[4]}) > max_file_bytes) return false;
    const std::uint64_t values = std::uint64_t{field[1]} * field[2] * (field[3] != 0 ? 2 : 1);
    const std::uint64_t size = field[4] + values * bytes_of[type];
    if (size > bytes.size()) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

// Type and content of the first element, which is taken off: a tag of 8 bytes with the content
// behind it, or, where that has at most 4 bytes, in it. Nothing where it is longer than `bytes`.
std::optional<std::pair<std::uint32_t, std::string_view>> next_element(std::string_view& bytes) {
  std::uint32_t tag[2];  // type, bytes
  if (bytes.size() < sizeof tag) return {};
  std::memcpy(tag, bytes.data(), sizeof tag);
  const std::uint32_t within = tag[0] >> 16;
  const std::size_t size = within != 0 ? within : tag[1];
  const std::string_view rest = bytes.substr(within != 0 ? 4 : sizeof tag);
  if (size > rest.size() || within > 4) return {};
  const std::size_t taken = within != 0 ? sizeof tag : sizeof tag + size;
  bytes.remove_prefix(taken);
  return std::pair{tag[0] & 0xffff, rest.substr(0, size)};
}

// matio makes room for the parts of a field - flags, size, name, values - that are said to be
// there.
bool is_field_whole(std::string_view field) {
  while (!field.empty()) {
    const std::size_t before = field.size();
    if (!next_element(field)) return false;
    const std::size_t padding = (8 - (before - field.size()) % 8) % 8;
    field.remove_prefix(std::min(padding, field.size()));
  }
  return true;
}

// matio does not look at the checksums of compressed elements (version 5, type 15), and gives
// whatever was in memory for the numbers of a damaged one.
bool is_whole(std::string_view bytes) {
  constexpr std::size_t header = 128;
  constexpr std::uint32_t matrix = 14;
  constexpr std::uint32_t compressed = 15;
  if (!bytes.starts_with("MATLAB ")) return is_whole_4(bytes);
  if (!bytes.starts_with("MATLAB 5.0") || bytes.size() < header) return true;
  bytes.remove_prefix(header);
  while (!bytes.empty()) {
    auto element = next_element(bytes);
    if (!element) return false;
    std::optional<std::string> plain;
    if (element->first == compressed) {
      if (!(plain = inflated(element->second))) return false;
      std::string_view inside = *plain;
      if (!(element = next_element(inside))) return false;
    }
    if (element->first == matrix && !is_field_whole(element->second)) return false;
  }
  return true;
}

// Empty where there is no matrix of whole numbers under the name.
std::optional<std::vector<std::int64_t>> numbers_in(mat_t* mat, const char* name) {
  const std::unique_ptr<matvar_t, Close> variable(Mat_VarReadInfo(mat, name));
  if (!variable || variable->isComplex != 0 || variable->rank != 2) return {};
  const auto size = [&](int axis) { return static_cast<double>(variable->dims[axis]); };
  if (size(0) < 1 || size(1) < 1 || size(0) * size(1) > max_numbers) return {};
  switch (variable->class_type) {
    case MAT_C_UINT8:
      return read_numbers<std::uint8_t>(mat, *variable);
    case MAT_C_UINT16:
      return read_numbers<std::uint16_t>(mat, *variable);
    case MAT_C_INT32:
      return read_numbers<std::int32_t>(mat, *variable);
    case MAT_C_DOUBLE:
      return read_numbers<double>(mat, *variable);
    default:
      return {};
  }
}

std::string fields_of(mat_t* mat) {
  std::string list;
  (void)Mat_Rewind(mat);
  for (int i = 0; i < 20; ++i) {
    const std::unique_ptr<matvar_t, Close> variable(Mat_VarReadNextInfo(mat));
    if (!variable) break;
    if (variable->name != nullptr) list += (list.empty() ? "" : ", ") + std::string(variable->name);
  }
  return list.empty() ? "no fields" : list;
}

// The fields of a .mat file, in the order asked for. Fields that are missing are problems.
std::vector<std::vector<std::int64_t>> read_fields(const fs::path& file,
                                                   const std::vector<const char*>& fields,
                                                   Problems& problems) {
  const auto wrong = [&](std::string what, std::string expected, std::string found) {
    problems.add({.what = std::move(what),
                  .where = file.string(),
                  .expected = std::move(expected),
                  .found = std::move(found),
                  .fix = "download the file again from the dataset's page"});
  };
  std::vector<std::vector<std::int64_t>> found(fields.size());
  const bool whole = is_whole(espalier::read_file(file, max_file_bytes));
  if (!whole) {
    wrong("a MATLAB file is damaged", "whole fields", "a wrong length or checksum");
    return found;
  }
  const std::unique_ptr<mat_t, Close> mat(Mat_Open(file.c_str(), MAT_ACC_RDONLY));
  if (mat == nullptr) {
    wrong("not a MATLAB file", "a MAT file of version 4, 5 or 7.3", {});
    return found;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (auto numbers = numbers_in(mat.get(), fields[i])) {
      found[i] = std::move(*numbers);
    } else {
      wrong(std::string("no field \"") + fields[i] + "\" that can be read",
            "an array of whole numbers", fields_of(mat.get()));
    }
  }
  return found;
}

std::string photo_name(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return "jpg/image_" + std::string(5 - std::min<std::size_t>(digits.size(), 5), '0') + digits +
         ".jpg";
}

void add_photos(const fs::path& root, const std::vector<std::int64_t>& numbers, Split split,
                const std::vector<std::int64_t>& labels, PhotoList& list, Problems& problems) {
  ListProblems wrong(problems);
  const auto photos = static_cast<std::int64_t>(labels.size());
  for (const std::int64_t number : numbers) {
    if (number < 1 || number > photos) {
      wrong.add({.what = "setid.mat names a photo without a label",
                 .where = (root / "setid.mat").string(),
                 .expected = "1 to " + std::to_string(photos),
                 .found = std::to_string(number),
                 .fix = "take both .mat files from the same archive"});
      continue;
    }
    const std::int64_t label = labels[static_cast<std::size_t>(number - 1)];
    list.samples.push_back({photo_name(number), label - 1, split});
  }
}

void check_labels(const fs::path& file, const std::vector<std::int64_t>& labels,
                  Problems& problems) {
  ListProblems wrong(problems);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 1 && labels[i] <= static_cast<std::int64_t>(std::size(names))) continue;
    wrong.add({.what = "the label of photo " + std::to_string(i + 1) + " is out of range",
               .where = file.string(),
               .expected = "1 to 102",
               .found = std::to_string(labels[i]),
               .fix = "download the file again from the dataset's page"});
  }
}

PhotoList official(const fs::path& root, Problems& problems) {
  PhotoList list;
  list.class_names.assign(std::begin(names), std::end(names));
  const auto labels = read_fields(root / "imagelabels.mat", {"labels"}, problems).front();
  check_labels(root / "imagelabels.mat", labels, problems);
  const auto sets = read_fields(root / "setid.mat", {"trnid", "valid", "tstid"}, problems);
  add_photos(root, sets[0], Split::train, labels, list, problems);
  add_photos(root, sets[1], Split::val, labels, list, problems);
  add_photos(root, sets[2], Split::test, labels, list, problems);
  return list;
}

class Flowers102 final : public espalier::ArchiveDataset {
 public:
  using Params = espalier::ArchiveParams;
  Flowers102(const Params& params, const espalier::RunContext& context)
      : ArchiveDataset(params, {"jpg", "split_zhou_OxfordFlowers.json", official}, context) {}
};

}  // namespace

ESPALIER_COMPONENT(dataset, "flowers102", 1, Flowers102, "Flowers102: 102 flowers of the UK", "")
