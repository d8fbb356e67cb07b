#pragma once

#include "driver/engine/server.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Counts the rows of users in the plan's tables of extensions, each under a snapshot of its own, and adds what that
/// says to `plan`: a sentence among what is not compared where the numbers are equal, otherwise a table that could not
/// be compared.
/// Returns: false when interrupted; then it adds nothing.
/// Throws: Error{kOtherServer} alone.
bool count_extension_tables(const Options& options, const Both<Server*>& servers, Plan& plan);

}  // namespace parity::driver
