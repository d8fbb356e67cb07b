#pragma once

#include <string_view>

#include "driver/model/options.h"

/// What a run is about.
namespace parity::driver {

/// Whether a run is about all of both databases: no option narrows it down to some schemas, tables, columns or rows.
/// Tables that are left out by name do not make it narrower.
bool covers_whole_database(const Options& options);

/// Whether a run looks at tables of extensions that hold rows of users: it is about tables as such, all of them or
/// those of some schemas.
bool covers_extension_tables(const Options& options);

/// Whether the rows of users in this table of an extension are compared: that was tried with the extension itself.
bool is_compared_by_default(std::string_view extension, std::string_view table);

}  // namespace parity::driver
