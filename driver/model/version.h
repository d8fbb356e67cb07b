#pragma once

#include <string>

namespace parity::driver {

/// The release, as the control file has it.
inline constexpr const char* kVersion = PARITY_VERSION;

/// "pgparity 1.0 (digest format 1)".
std::string version_line();

}  // namespace parity::driver
