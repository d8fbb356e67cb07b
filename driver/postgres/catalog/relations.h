#pragma once

#include <memory>

#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {

/// Whether a side's rows are digested by pg_parity inside the server.
enum class ExtensionUse {
    kRequired,       ///< an error where it is not installed
    kWherePossible,  ///< rows are streamed where it is not installed, or has another digest format
    kNone,           ///< rows are streamed
};

/// Connects to read the catalogs of a PostgreSQL server. Only relations that will be compared are described (columns,
/// key, sizes). `last_attempt`: what is dropped meanwhile is no reason for another one.
/// Throws: Error{kUsage} where pg_parity is required and not installed, or an option cannot be understood;
/// Error{kConnection} and Error{kServer} as Connection does.
std::unique_ptr<CatalogReader> make_catalog_reader(Side side, const Request& request, ExtensionUse use,
                                                   bool last_attempt, const SharedFailure* failure);

/// What a relation that is dropped while the catalogs are read can look like.
bool may_be_changed_catalogs(const Error& error);

}  // namespace parity::driver
