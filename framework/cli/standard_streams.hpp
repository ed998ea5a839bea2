// Standard input, output and error of a program that must not lose its answers.
#pragma once

namespace espalier::cli {

// Makes failures of writing visible: a closed pipe or a file over its limit (`ulimit -f`) gives an
// error and no signal, std::cout throws std::ios_base::failure, and a stream that is closed stays
// so, whatever file is opened next.
void prepare_standard_streams();

// What is left goes out. `code`, or 1 in place of 0 where the answer could not be written; says so
// on standard error, but for a reader that has gone, as `head` does.
[[nodiscard]] int finish_standard_output(int code);

}  // namespace espalier::cli
