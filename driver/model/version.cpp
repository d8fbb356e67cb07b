#include "driver/model/version.h"

#include <fmt/core.h>

#include "core/digest.h"

namespace parity::driver {

std::string version_line() { return fmt::format("pgparity {} (digest format {})", kVersion, core::kFormatVersion); }

}  // namespace parity::driver
