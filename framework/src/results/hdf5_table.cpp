#include <algorithm>
#include <bit>
#include <cstring>
#include <espalier/core/error.hpp>
#include <limits>

#include "hdf5_internal.hpp"

namespace espalier::hdf5 {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are written as they lie in memory");

Handle copy_of(hid_t type) { return {H5Tcopy(type), H5Tclose, "making a type"}; }

Handle text_type(std::size_t length) {
  Handle type = copy_of(H5T_C_S1);
  check(H5Tset_size(type, length), "making a text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "making a text type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "making a text type");
  return type;
}

Handle flag_type() {
  Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose, "making a truth type");
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  check(H5Tenum_insert(type, "FALSE", &no), "making a truth type");
  check(H5Tenum_insert(type, "TRUE", &yes), "making a truth type");
  return type;
}

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  return length;
}

struct TypeOf {
  Handle operator()(const std::vector<std::int32_t>&) const { return copy_of(H5T_NATIVE_INT32); }
  Handle operator()(const std::vector<std::int64_t>&) const { return copy_of(H5T_NATIVE_INT64); }
  Handle operator()(const std::vector<double>&) const { return copy_of(H5T_NATIVE_DOUBLE); }
  Handle operator()(const std::vector<Flag>&) const { return flag_type(); }
  Handle operator()(const std::vector<std::string>& texts) const {
    return text_type(longest(texts));
  }
};

// Copies a column into or out of rows that lie `stride` bytes apart.
struct Scatter {
  char* at;
  std::size_t stride;

  template <class T>
  void operator()(const std::vector<T>& list) const {
    char* to = at;
    for (const T& value : list) {
      std::memcpy(to, &value, sizeof value);
      to += stride;
    }
  }
  void operator()(const std::vector<std::string>& list) const {
    char* to = at;
    for (const std::string& text : list) {
      std::memcpy(to, text.data(), text.size());
      to += stride;
    }
  }
};

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

std::vector<char> pack(const Table& table, const RowLayout& layout) {
  std::vector<char> rows(layout.bytes * table.rows());
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    std::visit(Scatter{rows.data() + layout.offsets[i], layout.bytes}, table.columns()[i].values);
  }
  return rows;
}

ColumnValues unpack(hid_t type, const char* from, std::size_t stride, std::size_t rows,
                    const std::string& name) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      if (size == 4) return gather<std::int32_t>(from, stride, rows);
      if (size == 8) return gather<std::int64_t>(from, stride, rows);
      break;
    case H5T_FLOAT:
      if (size == 8) return gather<double>(from, stride, rows);
      break;
    case H5T_ENUM:
      if (size == 1) return gather<Flag>(from, stride, rows);
      break;
    case H5T_STRING:
      if (H5Tis_variable_str(type) == 0) return gather_texts(from, stride, rows, size);
      break;
    default:
      break;
  }
  throw Error({.what = "a column has a type that tables here do not use",
               .where = name,
               .expected = {},
               .found = {},
               .fix = {}});
}

std::size_t row_count(hid_t data, const std::string& name) {
  const Handle space(H5Dget_space(data), H5Sclose, "reading " + name);
  hsize_t rows = 0;
  if (H5Sget_simple_extent_ndims(space) != 1 ||
      H5Sget_simple_extent_dims(space, &rows, nullptr) < 0) {
    throw Error({.what = "a table has more than one dimension",
                 .where = name,
                 .expected = {},
                 .found = {},
                 .fix = {}});
  }
  return rows;
}

Handle write_rows(hid_t where, const std::string& name, hid_t type, hsize_t rows,
                  const void* data) {
  const Handle space(H5Screate_simple(1, &rows, nullptr), H5Sclose, "preparing " + name);
  const Handle link = with_parents();
  Handle dataset(H5Dcreate2(where, name.c_str(), type, space, link, H5P_DEFAULT, H5P_DEFAULT),
                 H5Dclose, "making " + name);
  if (rows > 0) {
    check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "writing " + name);
  }
  return dataset;
}

}  // namespace

RowLayout row_layout(const Table& table) {
  std::vector<Handle> types;
  std::vector<std::size_t> offsets;
  std::vector<std::size_t> sizes;
  std::size_t bytes = 0;
  for (const Column& column : table.columns()) {
    types.push_back(std::visit(TypeOf{}, column.values));
    offsets.push_back(bytes);
    sizes.push_back(H5Tget_size(types.back()));
    bytes += sizes.back();
  }
  Handle row(H5Tcreate(H5T_COMPOUND, bytes), H5Tclose, "making a row type");
  for (std::size_t i = 0; i < types.size(); ++i) {
    check(H5Tinsert(row, table.columns()[i].name.c_str(), offsets[i], types[i]),
          "adding the column " + table.columns()[i].name);
  }
  return {std::move(row), std::move(offsets), std::move(sizes), bytes};
}

Handle write_table(hid_t where, const std::string& name, const Table& table) {
  const RowLayout layout = row_layout(table);
  return write_rows(where, name, layout.type, table.rows(), pack(table, layout).data());
}

Table read_table(hid_t where, const std::string& name) {
  const Handle data(H5Dopen2(where, name.c_str(), H5P_DEFAULT), H5Dclose, "looking for " + name);
  const Handle type(H5Dget_type(data), H5Tclose, "reading " + name);
  const std::size_t rows = row_count(data, name);
  const std::size_t stride = H5Tget_size(type);
  const int columns = H5Tget_nmembers(type);
  check(columns, "reading " + name + ", which should be a table");
  if (H5Dget_storage_size(data) < rows * stride) check(-1, "reading " + name + ", which is cut");

  std::vector<char> bytes(rows * stride);
  if (rows > 0) {
    check(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), "reading " + name);
  }
  Table table;
  for (unsigned i = 0; i < static_cast<unsigned>(columns); ++i) {
    const Handle member(H5Tget_member_type(type, i), H5Tclose, "reading " + name);
    char* text = H5Tget_member_name(type, i);
    std::string column = text != nullptr ? text : "";
    H5free_memory(text);
    const char* from = bytes.data() + H5Tget_member_offset(type, i);
    ColumnValues values = unpack(member, from, stride, rows, name + "/" + column);
    table.add(std::move(column), std::move(values));
  }
  return table;
}

Handle write_column(hid_t where, const std::string& name, const ColumnValues& values) {
  Table table;
  table.add(name, values);
  const RowLayout layout = row_layout(table);
  const Handle type(H5Tget_member_type(layout.type, 0), H5Tclose, "making " + name);
  return write_rows(where, name, type, table.rows(), pack(table, layout).data());
}

}  // namespace espalier::hdf5
