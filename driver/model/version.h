#pragma once

#include <string>

namespace parity::driver {

/// The version of docs/digest-format.md that this driver speaks. Both servers must speak the same.
inline constexpr int kFormatVersion = 1;

/// The release, as the control file has it.
inline constexpr const char* kVersion = PARITY_VERSION;

/// "pgparity 1.0 (digest format 1)".
std::string version_line();

}  // namespace parity::driver
