// What becomes of memory that tensors no longer need.
#pragma once

namespace espalier {

// From now on it stays with the process for the tensors of the next update, however large: given
// back to the system in between, each page would be fetched and cleared again, which takes longer
// than many a product that fills it.
void keep_freed_memory();

// Gives what is kept back to the system, so that no trial is charged with the size of another. What
// a small trial leaves stays.
void give_back_freed_memory();

}  // namespace espalier
