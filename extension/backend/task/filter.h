#pragma once

#include "backend/pg.h"

namespace parity::backend {

/// Checks that a filter is exactly one SQL expression, on its own and between parentheses. A text such as `true) --`
/// would otherwise swallow what follows it.
/// Returns: the filter.
/// Errors: 42601 where it is anything else.
char* check_filter(char* filter);

}  // namespace parity::backend
