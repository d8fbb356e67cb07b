#include "driver/model/version.h"

#include <fmt/core.h>

namespace parity::driver {

std::string version_line() { return fmt::format("pgparity {} (digest format {})", kVersion, kFormatVersion); }

}  // namespace parity::driver
