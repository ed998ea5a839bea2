#include <algorithm>
#include <bit>
#include <cstring>

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

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  return length;
}

struct TypeOf {
  Handle operator()(const std::vector<std::int32_t>&) const { return copy_of(H5T_NATIVE_INT32); }
  Handle operator()(const std::vector<std::int64_t>&) const { return copy_of(H5T_NATIVE_INT64); }
  Handle operator()(const std::vector<double>&) const { return copy_of(H5T_NATIVE_DOUBLE); }
  Handle operator()(const std::vector<Flag>& flags) const {
    const bool open = std::find(flags.begin(), flags.end(), Flag::absent) != flags.end();
    return open ? open_flag_type() : flag_type();
  }
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

std::vector<char> pack(const Table& table, const RowLayout& layout) {
  std::vector<char> rows(layout.bytes * table.rows());
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    std::visit(Scatter{rows.data() + layout.offsets[i], layout.bytes}, table.columns()[i].values);
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

Handle flag_type() {
  Handle type(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose, "making a truth type");
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  check(H5Tenum_insert(type, "FALSE", &no), "making a truth type");
  check(H5Tenum_insert(type, "TRUE", &yes), "making a truth type");
  return type;
}

Handle open_flag_type() {
  Handle type = flag_type();
  const std::int8_t absent = -1;
  check(H5Tenum_insert(type, "MISSING", &absent), "making a truth type");
  return type;
}

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

Handle write_column(hid_t where, const std::string& name, const ColumnValues& values) {
  Table table;
  table.add(name, values);
  const RowLayout layout = row_layout(table);
  const Handle type(H5Tget_member_type(layout.type, 0), H5Tclose, "making " + name);
  return write_rows(where, name, type, table.rows(), pack(table, layout).data());
}

}  // namespace espalier::hdf5
