// Files that HDF5 opens and that are not what a result should be: each is refused by name, and
// nothing is read past the end of what was made room for.
#include <gmock/gmock.h>
#include <hdf5.h>

#include "results/hdf5_internal.hpp"
#include "results/result_file.hpp"
#include <espalier/core/error.hpp>
#include <functional>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

using hdf5::Handle;
using testing::AllOf;
using testing::HasSubstr;

Table whole_metrics() {
  Table table;
  table.add("epoch", std::vector<std::int32_t>{0, 1});
  table.add("step", std::vector<std::int64_t>{0, 4});
  table.add("split", std::vector<std::string>{"train", "val"});
  for (const char* name : {"loss", "top1", "lr", "wall_s"}) {
    table.add(name, std::vector<double>{0.5, 0.25});
  }
  return table;
}

// How the parts of a file are made; each can be replaced by a bad one.
struct Parts {
  std::function<void(hid_t)> trial_id = [](hid_t file) {
    hdf5::write_attribute(file, "trial_id", "t");
  };
  std::function<void(hid_t)> config = [](hid_t file) {
    hdf5::write_text(file, "config_json", R"({"seed": 3})");
  };
  std::function<void(hid_t)> metrics = [](hid_t file) {
    hdf5::write_table(file, "metrics", whole_metrics());
  };
};

std::string file_of(const Parts& parts) {
  const Handle file = hdf5::create_file();
  parts.trial_id(file);
  hdf5::write_attribute(file, "combo_id", "c");
  parts.config(file);
  parts.metrics(file);
  Table last;
  last.add("val_top1", std::vector<double>{0.75});
  hdf5::write_table(file, "final", last);
  return std::string(hdf5::file_bytes(file));
}

std::string refusal(const std::string& bytes) {
  try {
    (void)parse_result(bytes, "hostile.h5");
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string refusal(const Parts& parts) { return refusal(file_of(parts)); }

Handle space_of(std::vector<hsize_t> dims) {
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose, "space"};
}

Handle layout_of(const Table& table) { return hdf5::row_layout(table).type; }

Handle endless_text() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "type");
  H5Tset_size(type, H5T_VARIABLE);
  return type;
}

void make(hid_t file, const char* name, hid_t type, hid_t space, hid_t plist = H5P_DEFAULT) {
  const Handle made(H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT), H5Dclose,
                    "making");
}

Handle creation() { return {H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "list"}; }

auto named(const char* part, const char* found) {
  return AllOf(HasSubstr("\"" + std::string(part)), HasSubstr("hostile.h5"), HasSubstr(found));
}

TEST(HostileResult, AWholeOneIsRead) {
  const TrialResult result = parse_result(file_of({}), "whole.h5");
  EXPECT_EQ(result.trial_id, "t");
  EXPECT_EQ(result.seed, 3);
  EXPECT_EQ(result.metrics.size(), 2u);
  EXPECT_EQ(result.val_top1, 0.75);
}

TEST(HostileResult, AListInThePlaceOfOneText) {
  Parts parts;
  parts.config = [](hid_t file) { make(file, "config_json", endless_text(), space_of({1000})); };
  EXPECT_THAT(refusal(parts), named("config_json", "a list of values"));
  parts = {};
  parts.trial_id = [](hid_t file) {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "type");
    const Handle made(
        H5Acreate2(file, "trial_id", type, space_of({5000}), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
        "attribute");
  };
  EXPECT_THAT(refusal(parts), named("trial_id", "a list of values"));
}

TEST(HostileResult, TextsOfOtherTypes) {
  Parts parts;
  parts.config = [](hid_t file) {
    make(file, "config_json", H5T_NATIVE_INT64, Handle(H5Screate(H5S_SCALAR), H5Sclose, "space"));
  };
  EXPECT_THAT(refusal(parts), named("config_json", "another type"));
  // Its bytes would be looked for in a heap, whose sizes the library believes.
  parts.config = [](hid_t file) {
    make(file, "config_json", endless_text(), Handle(H5Screate(H5S_SCALAR), H5Sclose, "space"));
  };
  EXPECT_THAT(refusal(parts), named("config_json", "another type"));
  parts.config = [](hid_t file) {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "type");
    H5Tset_size(type, 2'000'000'000);
    make(file, "config_json", type, Handle(H5Screate(H5S_SCALAR), H5Sclose, "space"));
  };
  EXPECT_THAT(refusal(parts), named("config_json", "2000000000 bytes"));
  parts = {};
  parts.trial_id = [](hid_t file) { hdf5::write_attribute(file, "trial_id", 7); };
  EXPECT_THAT(refusal(parts), named("trial_id", "another type"));
  parts.trial_id = [](hid_t file) {
    const Handle made(
        H5Acreate2(file, "trial_id", endless_text(),
                   Handle(H5Screate(H5S_SCALAR), H5Sclose, "space"), H5P_DEFAULT, H5P_DEFAULT),
        H5Aclose, "attribute");
  };
  EXPECT_THAT(refusal(parts), named("trial_id", "another type"));
  parts.trial_id = [](hid_t) {};
  EXPECT_THAT(refusal(parts), HasSubstr("looking for the attribute trial_id"));
}

TEST(HostileResult, ATableOfAnotherShape) {
  Parts parts;
  parts.metrics = [](hid_t file) {
    make(file, "metrics", layout_of(whole_metrics()), space_of({2, 2}));
  };
  EXPECT_THAT(refusal(parts), named("metrics", "number of dimensions"));
  parts.metrics = [](hid_t file) {
    make(file, "metrics", layout_of(whole_metrics()),
         Handle(H5Screate(H5S_SCALAR), H5Sclose, "space"));
  };
  EXPECT_THAT(refusal(parts), named("metrics", "number of dimensions"));
  parts.metrics = [](hid_t file) { make(file, "metrics", H5T_NATIVE_DOUBLE, space_of({2})); };
  EXPECT_THAT(refusal(parts), named("metrics", "no compound type"));
  parts.metrics = [](hid_t) {};
  EXPECT_THAT(refusal(parts), HasSubstr("looking for metrics"));
}

// Storage that is allocated late takes no room: the header alone can promise as many rows as it
// likes, also so many that rows times bytes wraps around to a small number.
TEST(HostileResult, MoreRowsThanTheFileCouldHold) {
  const hsize_t stride = hdf5::row_layout(whole_metrics()).bytes;
  for (const hsize_t rows : {hsize_t{1} << 40, ~hsize_t{0} / stride, ~hsize_t{0} / stride - 1}) {
    Parts parts;
    parts.metrics = [&](hid_t file) {
      make(file, "metrics", layout_of(whole_metrics()), space_of({rows}));
    };
    EXPECT_THAT(refusal(parts), named("metrics", "rows of")) << rows;
  }
}

TEST(HostileResult, ColumnsOfTypesThatTablesDoNotUse) {
  const Handle vlen(H5Tvlen_create(H5T_NATIVE_INT64), H5Tclose, "type");
  const hsize_t three = 3;
  const Handle array(H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &three), H5Tclose, "type");
  const Handle opaque(H5Tcreate(H5T_OPAQUE, 8), H5Tclose, "type");
  const Handle other_enum(H5Tenum_create(H5T_NATIVE_INT8), H5Tclose, "type");
  const std::int8_t value = 100;
  H5Tenum_insert(other_enum, "OTHER", &value);
  const Handle endless = endless_text();
  for (const hid_t bad : {vlen.get(), array.get(), opaque.get(), other_enum.get(), H5T_STD_I32BE,
                          H5T_STD_U32LE, H5T_NATIVE_FLOAT, H5T_IEEE_F64BE, H5T_NATIVE_INT16,
                          endless.get(), H5T_STD_REF_OBJ, H5T_NATIVE_B64}) {
    const Handle row(H5Tcreate(H5T_COMPOUND, H5Tget_size(bad)), H5Tclose, "row");
    H5Tinsert(row, "epoch", 0, bad);
    Parts parts;
    parts.metrics = [&](hid_t file) { make(file, "metrics", row, space_of({2})); };
    EXPECT_THAT(refusal(parts), named("metrics/epoch", "another type")) << H5Tget_class(bad);
  }
}

TEST(HostileResult, ATruthValueThatIsNeither) {
  const Handle row(H5Tcreate(H5T_COMPOUND, 1), H5Tclose, "row");
  H5Tinsert(row, "cached", 0, hdf5::flag_type());
  Parts parts;
  parts.metrics = [&](hid_t file) {
    const Handle data(
        H5Dcreate2(file, "metrics", row, space_of({1}), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
        H5Dclose, "making");
    const std::int8_t wrong = 77;
    H5Dwrite(data, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, &wrong);
  };
  EXPECT_THAT(refusal(parts), named("metrics/cached", "another number"));
}

TEST(HostileResult, ColumnsThatAreMissingOrOfAnotherType) {
  Parts parts;
  parts.metrics = [](hid_t file) {
    Table table;
    table.add("epoch", std::vector<double>{0, 1});
    hdf5::write_table(file, "metrics", table);
  };
  EXPECT_THAT(refusal(parts), HasSubstr("lacks the column epoch"));
}

TEST(HostileResult, StorageOutsideOfTheFile) {
  Parts parts;
  parts.metrics = [](hid_t file) {
    const Handle list = creation();
    H5Pset_external(list, "/etc/passwd", 0, 1000);
    make(file, "metrics", layout_of(whole_metrics()), space_of({2}), list);
  };
  EXPECT_THAT(refusal(parts), named("metrics", "storage in another"));
  parts.metrics = [](hid_t file) {
    H5Lcreate_external("/etc/passwd", "/", file, "metrics", H5P_DEFAULT, H5P_DEFAULT);
  };
  EXPECT_THAT(refusal(parts), named("metrics", "a link"));
  parts.metrics = [](hid_t file) {
    H5Lcreate_soft("/metrics", file, "metrics", H5P_DEFAULT, H5P_DEFAULT);
  };
  EXPECT_THAT(refusal(parts), named("metrics", "a link"));
}

TEST(HostileResult, StorageThatUnpacksToMoreThanTheFile) {
  Parts parts;
  parts.metrics = [](hid_t file) {
    const Handle list = creation();
    const hsize_t chunk = 1 << 20;
    H5Pset_chunk(list, 1, &chunk);
    H5Pset_deflate(list, 9);
    make(file, "metrics", layout_of(whole_metrics()), space_of({chunk}), list);
  };
  EXPECT_THAT(refusal(parts), named("metrics", "chunked"));
}

TEST(HostileResult, AGroupInThePlaceOfATable) {
  Parts parts;
  parts.metrics = [](hid_t file) { (void)hdf5::create_group(file, "metrics"); };
  EXPECT_THAT(refusal(parts), HasSubstr("opening metrics"));
}

TEST(HostileResult, AConfigurationThatIsNoJson) {
  Parts parts;
  parts.config = [](hid_t file) { hdf5::write_text(file, "config_json", "{\"seed\": "); };
  EXPECT_THAT(refusal(parts), HasSubstr("hostile.h5"));
  parts.config = [](hid_t file) { hdf5::write_text(file, "config_json", "[1]"); };
  EXPECT_THAT(refusal(parts), AllOf(HasSubstr("config_json"), HasSubstr("hostile.h5")));
}

}  // namespace
}  // namespace espalier
