#include <espalier/nn/denormals.hpp>

#include <ATen/Context.h>

namespace espalier {

void flush_denormals() { at::globalContext().setFlushDenormal(true); }

}  // namespace espalier
