#include <algorithm>
#include <atomic>
#include <espalier/core/error.hpp>

#include "hdf5_internal.hpp"

namespace espalier::hdf5 {
namespace {

constexpr std::size_t growth = std::size_t{1} << 20;
constexpr std::size_t longest_attribute = std::size_t{32} << 10;
constexpr hsize_t compress_from = 16 << 10;  // bytes

herr_t deepest(unsigned depth, const H5E_error2_t* error, void* text) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

[[noreturn]] void fail(std::string_view doing) {
  std::string why;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, &why);
  throw Error({.what = "HDF5 failed while " + std::string(doing),
               .where = {},
               .expected = {},
               .found = why,
               .fix = {}});
}

// The library takes files in memory of one name for the same file, and refuses a name that is taken
// on disk: none can be there.
std::string fresh_name() {
  static std::atomic<unsigned> count{0};
  return "/dev/null/" + std::to_string(count++);
}

void keep_quiet() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

Handle memory_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "preparing a file");
  check(H5Pset_fapl_core(access, growth, 0), "preparing a file");
  return access;
}

Handle scalar_space() { return {H5Screate(H5S_SCALAR), H5Sclose, "making a scalar"}; }

std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

void write_scalar_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
  const Handle space = scalar_space();
  const Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, "adding the attribute " + name);
  check(H5Awrite(attribute, type, value), "writing the attribute " + name);
}

void write_flattened(hid_t object, const std::string& key, const Json& value) {
  if (!value.is_object()) return write_attribute(object, key, value);
  for (const auto& [name, member] : value.items()) {
    write_flattened(object, key.empty() ? name : key + "." + name, member);
  }
}

}  // namespace

Handle::Handle(hid_t id, Close close, std::string_view doing) : id_(id), close_(close) {
  if (id < 0) fail(doing);
}

Handle::~Handle() {
  if (id_ >= 0) close_(id_);
}

void check(herr_t status, std::string_view doing) {
  if (status < 0) fail(doing);
}

Handle create_file() {
  keep_quiet();
  const Handle access = memory_access();
  return {H5Fcreate(fresh_name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose,
          "making a file"};
}

std::string_view file_bytes(const Handle& file) {
  check(H5Fflush(file, H5F_SCOPE_LOCAL), "finishing a file");
  void* memory = nullptr;
  check(H5Fget_vfd_handle(file, H5P_DEFAULT, &memory), "finishing a file");
  // Not H5Fget_filesize(), which counts the memory kept for growth.
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  if (size < 0) fail("finishing a file");
  return {*static_cast<char* const*>(memory), static_cast<std::size_t>(size)};
}

Handle open_bytes(std::string_view bytes, const std::string& origin) {
  keep_quiet();
  const Handle access = memory_access();
  // The library copies the bytes, and asks for a pointer to non-const all the same.
  check(H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()), "opening a file");
  return {H5Fopen(fresh_name().c_str(), H5F_ACC_RDONLY, access), H5Fclose, "opening " + origin};
}

Handle with_parents() {
  Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "preparing a link");
  check(H5Pset_create_intermediate_group(link, 1), "preparing a link");
  return link;
}

Handle create_group(hid_t where, const std::string& name) {
  const Handle link = with_parents();
  return {H5Gcreate2(where, name.c_str(), link, H5P_DEFAULT, H5P_DEFAULT), H5Gclose,
          "making the group " + name};
}

void write_text(hid_t where, const std::string& name, std::string_view text) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  check(H5Tset_size(type, std::max<std::size_t>(1, text.size())), "making a text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "making a text type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "making a text type");
  const Handle space = scalar_space();
  const Handle data(
      H5Dcreate2(where, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
      "making " + name);
  const std::string terminated(text);
  check(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, terminated.c_str()), "writing " + name);
}

void write_attribute(hid_t object, const std::string& name, const Json& value) {
  if (value.is_null()) return;
  if (value.is_boolean()) {
    Table one;
    one.add(name, std::vector<Flag>{value.get<bool>() ? Flag::yes : Flag::no});
    const RowLayout layout = row_layout(one);
    const Handle type(H5Tget_member_type(layout.type, 0), H5Tclose, "making a truth value");
    const auto flag = static_cast<std::int8_t>(value.get<bool>());
    return write_scalar_attribute(object, name, type, &flag);
  }
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    return write_scalar_attribute(object, name, H5T_NATIVE_INT64, &number);
  }
  if (value.is_number()) {
    const auto number = value.get<double>();
    return write_scalar_attribute(object, name, H5T_NATIVE_DOUBLE, &number);
  }
  const std::string whole = value.is_string() ? value.get<std::string>() : value.dump();
  const std::string text(cut_utf8(whole, longest_attribute));
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  check(H5Tset_size(type, std::max<std::size_t>(1, text.size())), "making a text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "making a text type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "making a text type");
  write_scalar_attribute(object, name, type, text.c_str());
}

void write_attributes(hid_t object, const Json& values) { write_flattened(object, {}, values); }

Handle write_array(hid_t where, const std::string& name, hid_t type, const void* data,
                   const std::vector<hsize_t>& dims) {
  hsize_t bytes = H5Tget_size(type);
  for (const hsize_t dim : dims) bytes *= dim;
  const Handle plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "preparing " + name);
  if (bytes >= compress_from) {
    std::vector<hsize_t> chunk = dims;
    const hsize_t row = std::max<hsize_t>(1, bytes / dims[0]);
    chunk[0] = std::clamp<hsize_t>(growth / row, 1, dims[0]);
    check(H5Pset_chunk(plist, static_cast<int>(chunk.size()), chunk.data()), "preparing " + name);
    check(H5Pset_shuffle(plist), "preparing " + name);
    check(H5Pset_deflate(plist, 4), "preparing " + name);
  }
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                     H5Sclose, "preparing " + name);
  const Handle link = with_parents();
  Handle dataset(H5Dcreate2(where, name.c_str(), type, space, link, plist, H5P_DEFAULT), H5Dclose,
                 "making " + name);
  if (bytes > 0) {
    check(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "writing " + name);
  }
  return dataset;
}

}  // namespace espalier::hdf5
