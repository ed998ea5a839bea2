#include <algorithm>
#include <cstring>
#include <espalier/core/error.hpp>

#include "hdf5_internal.hpp"

namespace espalier::hdf5 {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 10;  // of a cell or an attribute
constexpr int most_columns = 1000;

[[noreturn]] void refuse(const std::string& name, std::string expected, std::string found) {
  throw Error({.what = "\"" + name + "\" in an HDF5 file is not what it should be",
               .where = {},
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = {}});
}

void require(bool holds, const std::string& name, const char* expected, std::string found) {
  if (!holds) refuse(name, expected, std::move(found));
}

// In the file itself, as plain bytes.
Handle open_dataset(hid_t file, const std::string& name) {
  H5L_info_t link{};
  check(H5Lget_info(file, name.c_str(), &link, H5P_DEFAULT), "looking for " + name);
  require(link.type == H5L_TYPE_HARD, name, "a dataset in this file", "a link");
  Handle data(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + name);
  const Handle made(H5Dget_create_plist(data), H5Pclose, "opening " + name);
  const H5D_layout_t layout = H5Pget_layout(made);
  require(layout == H5D_CONTIGUOUS || layout == H5D_COMPACT, name, "contiguous storage",
          "chunked or virtual storage");
  require(H5Pget_external_count(made) == 0, name, "storage in this file", "storage in another");
  return data;
}

void require_scalar(hid_t space, const std::string& name) {
  require(H5Sget_simple_extent_type(space) == H5S_SCALAR, name, "one value", "a list of values");
}

std::size_t row_count(hid_t data, const std::string& name) {
  const Handle space(H5Dget_space(data), H5Sclose, "reading " + name);
  require(H5Sget_simple_extent_type(space) == H5S_SIMPLE && H5Sget_simple_extent_ndims(space) == 1,
          name, "a table of one dimension", "another number of dimensions");
  hsize_t rows = 0;
  check(H5Sget_simple_extent_dims(space, &rows, nullptr), "reading " + name);
  return rows;
}

// Rows times `stride`, which the file must have room for.
std::size_t byte_count(hid_t file, std::size_t rows, std::size_t stride, const std::string& name) {
  hsize_t size = 0;
  check(H5Fget_filesize(file, &size), "reading " + name);
  require(stride > 0 && rows <= size / stride, name, "no more rows than the file has bytes for",
          std::to_string(rows) + " rows of " + std::to_string(stride) + " bytes");
  return rows * stride;
}

template <class T>
std::vector<T> gather(const char* from, std::size_t stride, std::size_t rows) {
  std::vector<T> list(rows);
  for (std::size_t i = 0; i < rows; ++i) std::memcpy(&list[i], from + i * stride, sizeof(T));
  return list;
}

std::vector<std::string> gather_texts(const char* from, std::size_t stride, std::size_t rows,
                                      std::size_t size) {
  std::vector<std::string> list(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    list[i].assign(from + i * stride, ::strnlen(from + i * stride, size));
  }
  return list;
}

bool is_short_text(hid_t type) {
  return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
         H5Tget_size(type) <= longest_text;
}

bool equal(hid_t type, hid_t other) { return H5Tequal(type, other) > 0; }

// Another byte would be no value of the enumeration.
std::vector<Flag> flags_of(const std::vector<std::int8_t>& bytes, std::int8_t least,
                           const std::string& name) {
  std::vector<Flag> flags;
  for (const std::int8_t byte : bytes) {
    require(least <= byte && byte <= 1, name, "a truth value", "another number");
    flags.push_back(static_cast<Flag>(byte));
  }
  return flags;
}

ColumnValues unpack(hid_t type, const char* from, std::size_t stride, std::size_t rows,
                    const std::string& name) {
  if (equal(type, H5T_NATIVE_INT32)) return gather<std::int32_t>(from, stride, rows);
  if (equal(type, H5T_NATIVE_INT64)) return gather<std::int64_t>(from, stride, rows);
  if (equal(type, H5T_NATIVE_DOUBLE)) return gather<double>(from, stride, rows);
  if (equal(type, flag_type())) return flags_of(gather<std::int8_t>(from, stride, rows), 0, name);
  if (equal(type, open_flag_type())) {
    return flags_of(gather<std::int8_t>(from, stride, rows), -1, name);
  }
  if (is_short_text(type)) return gather_texts(from, stride, rows, H5Tget_size(type));
  refuse(name, "int32, int64, float64, a truth value or a short text", "another type");
}

std::string column_name(hid_t type, unsigned column) {
  char* text = H5Tget_member_name(type, column);
  std::string name = text != nullptr ? text : "";
  H5free_memory(text);
  return name;
}

// A type whose columns are all ones that unpack() knows, so that reading converts nothing.
void require_row_type(hid_t type, const std::string& name) {
  require(H5Tget_class(type) == H5T_COMPOUND, name, "a table", "no compound type");
  const int columns = H5Tget_nmembers(type);
  require(columns > 0 && columns <= most_columns, name, "1 to 1000 columns", "another number");
  for (unsigned i = 0; i < static_cast<unsigned>(columns); ++i) {
    const Handle member(H5Tget_member_type(type, i), H5Tclose, "reading " + name);
    const std::string column = name + "/" + column_name(type, i);
    (void)unpack(member, nullptr, 0, 0, column);
    const std::size_t end = H5Tget_member_offset(type, i) + H5Tget_size(member);
    require(end <= H5Tget_size(type), column, "a column inside of its row", "one beyond its end");
  }
}

}  // namespace

std::string read_text(hid_t file, const std::string& name) {
  const Handle data = open_dataset(file, name);
  const Handle space(H5Dget_space(data), H5Sclose, "reading " + name);
  require_scalar(space, name);
  const Handle type(H5Dget_type(data), H5Tclose, "reading " + name);
  require(H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0, name,
          "a text of fixed length", "another type");
  std::string text(byte_count(file, 1, H5Tget_size(type), name), '\0');
  check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "reading " + name);
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

std::string read_text_attribute(hid_t file, const std::string& name) {
  const Handle attribute(H5Aopen(file, name.c_str(), H5P_DEFAULT), H5Aclose,
                         "looking for the attribute " + name);
  const Handle space(H5Aget_space(attribute), H5Sclose, "reading the attribute " + name);
  require_scalar(space, name);
  const Handle type(H5Aget_type(attribute), H5Tclose, "reading the attribute " + name);
  require(is_short_text(type), name, "a text of fixed length", "another type");
  std::string text(H5Tget_size(type), '\0');
  check(H5Aread(attribute, type, text.data()), "reading the attribute " + name);
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

Table read_table(hid_t file, const std::string& name) {
  const Handle data = open_dataset(file, name);
  const Handle type(H5Dget_type(data), H5Tclose, "reading " + name);
  require_row_type(type, name);
  const std::size_t rows = row_count(data, name);
  const std::size_t stride = H5Tget_size(type);
  std::vector<char> bytes(byte_count(file, rows, stride, name));
  if (rows > 0) {
    check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "reading " + name);
  }
  Table table;
  for (unsigned i = 0; i < static_cast<unsigned>(H5Tget_nmembers(type)); ++i) {
    const Handle member(H5Tget_member_type(type, i), H5Tclose, "reading " + name);
    std::string column = column_name(type, i);
    const char* from = rows > 0 ? bytes.data() + H5Tget_member_offset(type, i) : nullptr;
    ColumnValues values = unpack(member, from, stride, rows, name + "/" + column);
    table.add(std::move(column), std::move(values));
  }
  return table;
}

}  // namespace espalier::hdf5
