// HDF5 as the writers and readers of results use it: files are built and read in memory, so that
// what reaches the disk does so in one piece and no failing disk is met inside the library.
//
// Default format bounds, so that HDF5 1.8 and later, old h5py and MATLAB open the files.
// Fixed-length UTF-8 text padded with NUL, truth values as h5py's enumeration {FALSE, TRUE}.
#pragma once

#include <hdf5.h>

#include "results/table.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::hdf5 {

// Owns an identifier of the library. Constructing it from a negative one throws Error with the
// library's own explanation.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close, std::string_view doing);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle();

  [[nodiscard]] hid_t get() const noexcept { return id_; }
  operator hid_t() const noexcept { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// Throws Error with the library's own explanation where `status` is negative.
void check(herr_t status, std::string_view doing);

[[nodiscard]] Handle create_file();
// The bytes of a file made by create_file(), as long as it lives and nothing is added.
[[nodiscard]] std::string_view file_bytes(const Handle& file);
// `bytes` must outlive the call only; `origin` is named where they are no HDF5 file.
[[nodiscard]] Handle open_bytes(std::string_view bytes, const std::string& origin);

// Link properties that make parent groups as needed; everything below makes them.
[[nodiscard]] Handle with_parents();
[[nodiscard]] Handle create_group(hid_t where, const std::string& name);

// h5py's truth values.
[[nodiscard]] Handle flag_type();
// With a third name, MISSING, for -1: h5py then takes it for an enumeration, no longer for bool.
[[nodiscard]] Handle open_flag_type();

// A dataset with one text, of a fixed length: reading one of variable length out of a hostile file
// overflows inside of HDF5 1.10.
void write_text(hid_t where, const std::string& name, std::string_view text);

// Texts over 32 KiB are cut; null is not written; lists and objects become JSON text.
void write_attribute(hid_t object, const std::string& name, const Json& value);
// Every scalar of nested `values` under its dotted key.
void write_attributes(hid_t object, const Json& values);

// The type of one row and where its columns begin.
struct RowLayout {
  Handle type;
  std::vector<std::size_t> offsets;
  std::vector<std::size_t> sizes;
  std::size_t bytes;
};
[[nodiscard]] RowLayout row_layout(const Table& table);

// Contiguous, unless it has no rows. Returns the dataset.
Handle write_table(hid_t where, const std::string& name, const Table& table);

// A dataset of one column.
Handle write_column(hid_t where, const std::string& name, const ColumnValues& values);

// Row-major; chunked and compressed where it is large.
Handle write_array(hid_t where, const std::string& name, hid_t type, const void* data,
                   const std::vector<hsize_t>& dims);

// Reading what the functions above write, out of files that may be hostile. Every extent, type and
// size is compared before anything is read, and nothing outside of the file is looked at: no
// external links, no external or virtual storage. Throws Error that names the part.
[[nodiscard]] std::string read_text(hid_t file, const std::string& name);
[[nodiscard]] std::string read_text_attribute(hid_t file, const std::string& name);
[[nodiscard]] Table read_table(hid_t file, const std::string& name);

}  // namespace espalier::hdf5
