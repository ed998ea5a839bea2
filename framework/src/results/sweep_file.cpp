#include "results/sweep_file.hpp"

#include <hdf5_hl.h>

#include <espalier/core/file.hpp>
#include <optional>

#include "cube_internal.hpp"
#include "hdf5_internal.hpp"

namespace espalier {
namespace {

void write_axes(hid_t file, const PlanTable& plan) {
  const hdf5::Handle group = hdf5::create_group(file, "axes");
  for (const PlanAxis& axis : plan.axes) {
    const hdf5::Handle scale = hdf5::write_column(group, axis.key, column_of(axis.values));
    hdf5::check(H5DSset_scale(scale, axis.key.c_str()), "making a scale of " + axis.key);
  }
}

void write_cube(hid_t file, const SweepTable& sweep) {
  const hdf5::Handle group = hdf5::create_group(file, "cube");
  const std::optional<Cube> cube = Cube::of(sweep);
  if (!cube) {
    return hdf5::write_attribute(group, "left_out", "the product of the axes has too many cells");
  }
  const PlanTable& plan = sweep.plan;
  for (const std::size_t axis : cube->axes()) {
    // The scales again, where netCDF looks for them.
    hdf5::check(H5Lcreate_hard(file, ("axes/" + plan.axes[axis].key).c_str(), group,
                               plan.axes[axis].key.c_str(), H5P_DEFAULT, H5P_DEFAULT),
                "linking an axis");
  }
  for (const std::string_view metric : swept_metrics) {
    const std::string name(metric);
    const std::vector<double> cells = cube->cells(sweep, metric);
    const std::vector<hsize_t> dims(cube->sizes().begin(), cube->sizes().end());
    const hdf5::Handle data = hdf5::write_array(group, name, H5T_NATIVE_DOUBLE, cells.data(), dims);
    for (unsigned dim = 0; dim < cube->axes().size(); ++dim) {
      const std::string& key = plan.axes[cube->axes()[dim]].key;
      const hdf5::Handle scale(H5Dopen2(group, key.c_str(), H5P_DEFAULT), H5Dclose,
                               "opening " + key);
      hdf5::check(H5DSattach_scale(data, scale, dim), "attaching " + key);
    }
  }
}

void write_links(hid_t file, const SweepTable& sweep) {
  const hdf5::Handle group = hdf5::create_group(file, "links");
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    if (sweep.records[i].status != TrialStatus::complete) continue;
    const std::string& id = sweep.plan.rows[i].trial_id;
    const std::string target = "trials/" + id + "/result.h5";
    hdf5::check(
        H5Lcreate_external(target.c_str(), "/", group, id.c_str(), H5P_DEFAULT, H5P_DEFAULT),
        "linking a trial");
  }
}

}  // namespace

void write_sweep(const SweepTable& sweep) {
  const Table trials = trials_table(sweep);
  const hdf5::Handle file = hdf5::create_file();
  hdf5::write_attribute(file, "schema", "espalier.sweep/1");
  hdf5::write_attribute(file, "name", sweep.plan.name);
  hdf5::write_table(file, "trials", trials);
  hdf5::write_table(file, "metrics", sweep_metrics_table(sweep));
  hdf5::write_table(file, "agg", combinations_table(sweep));
  write_axes(file, sweep.plan);
  write_cube(file, sweep);
  write_links(file, sweep);
  hdf5::write_text(file, "plan_json", sweep.plan.text);
  write_file(sweep.folder / "sweep.h5", hdf5::file_bytes(file));
  write_file(sweep.folder / "trials.csv", to_csv(trials));
}

}  // namespace espalier
