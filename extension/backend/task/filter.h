#pragma once

#include "backend/pg.h"

namespace parity::backend {

/// Gives the filter back where it is exactly one SQL expression, on its own and between parentheses; else raises 42601.
/// A text such as `true) --` would otherwise swallow what follows it.
char* check_filter(char* filter);

}  // namespace parity::backend
