#pragma once

#include <string>

namespace parity::driver {

/// What messages call the process that goes on with a run: "process 4711 on host db1".
std::string this_process();

}  // namespace parity::driver
