#pragma once

#include "driver/model/inventory.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/session.h"

/// Which server answered, as a result tells it.
namespace parity::driver {

/// What identity_rights_query() gave.
IdentityRights read_identity_rights(const Result& result);

/// What such a query gave in `row`, from column `first` on.
ServerIdentity read_identity(const Result& result, int row, int first);

}  // namespace parity::driver
