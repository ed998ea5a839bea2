"""What a Google Benchmark program measures of one benchmark."""
import json
import subprocess


def least_seconds(program, name, threads, clock, repeats, *options):
    """The least of `repeats` measurements; `clock` is `real_time` or `cpu_time`."""
    out = subprocess.run(
        [program, f"--benchmark_filter=^{name}/{threads}/", f"--benchmark_repetitions={repeats}",
         "--benchmark_format=json", *options],
        capture_output=True, text=True, check=True).stdout
    rows = json.loads(out)["benchmarks"]
    return min(row[clock] for row in rows if row["run_type"] == "iteration") / 1e3
