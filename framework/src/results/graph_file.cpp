#include "results/graph_file.hpp"
#include <espalier/core/file.hpp>

#include "hdf5_internal.hpp"

namespace espalier {
namespace {

// Of variable length, as anndata expects: h5py reads fixed ones as bytes.
void write_word(hid_t object, const char* name, const char* word) {
  const hdf5::Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  hdf5::check(H5Tset_size(type, H5T_VARIABLE), "making a text type");
  hdf5::check(H5Tset_cset(type, H5T_CSET_UTF8), "making a text type");
  const hdf5::Handle space(H5Screate(H5S_SCALAR), H5Sclose, "preparing an attribute");
  const hdf5::Handle attribute(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT),
                               H5Aclose, "making an attribute");
  hdf5::check(H5Awrite(attribute, type, &word), "writing an attribute");
}

void write_shape(hid_t object, std::int64_t nodes) {
  const hsize_t two = 2;
  const std::int64_t shape[] = {nodes, nodes};
  const hdf5::Handle space(H5Screate_simple(1, &two, nullptr), H5Sclose, "preparing an attribute");
  const hdf5::Handle attribute(
      H5Acreate2(object, "shape", H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      "making an attribute");
  hdf5::check(H5Awrite(attribute, H5T_NATIVE_INT64, shape), "writing an attribute");
}

template <class T>
void write_vector(hid_t where, const char* name, hid_t type, std::span<const T> values) {
  hdf5::write_array(where, name, type, values.data(), {values.size()});
}

}  // namespace

void write_graph_file(const std::filesystem::path& path, const GraphFile& graph) {
  const hdf5::Handle file = hdf5::create_file();
  {
    const hdf5::Handle group = hdf5::create_group(file, "graph");
    write_word(group, "encoding-type", "csr_matrix");
    write_word(group, "encoding-version", "0.1.0");
    write_shape(group, graph.nodes);
    write_vector(group, "indptr", H5T_NATIVE_INT64, graph.indptr);
    write_vector(group, "indices", H5T_NATIVE_INT64, graph.indices);
    write_vector(group, "data", H5T_NATIVE_FLOAT, graph.data);
    if (!graph.relation.empty()) {
      write_vector(group, "relation", H5T_NATIVE_INT8, graph.relation);
    }
  }
  if (!graph.ids.empty()) hdf5::write_column(file, "ids", graph.ids);
  if (!graph.splits.empty()) hdf5::write_column(file, "splits", graph.splits);
  if (!graph.labels.empty()) hdf5::write_column(file, "labels", graph.labels);
  hdf5::write_attributes(file, graph.attributes);
  write_file(path, hdf5::file_bytes(file));
}

}  // namespace espalier
