// Numbers that are too small for a normal float32, below 1.2e-38.
#pragma once

namespace espalier {

// From now on they are zeros for this thread and those that it starts. Late in a training gradients
// are full of such numbers, and processors multiply them many times slower than others. To be
// called before LibTorch starts its threads. Does nothing where the processor cannot do it.
void flush_denormals();

}  // namespace espalier
