#pragma once

#include "driver/model/options.h"
#include "driver/options/column_options.h"
#include "driver/options/name_map.h"
#include "driver/options/name_pattern.h"
#include "driver/options/table_settings.h"

namespace parity::driver {

/// What a run is asked for: the options, and what those of them say that name tables and columns. Parsed once; whoever
/// wants to know what a pattern, a map or an option about columns means takes it from here.
struct Request {
    /// Reads what the options say.
    /// Throws: Error{kUsage} for what cannot be read, contradicts itself, or cannot mean anything whatever the servers
    /// have.
    explicit Request(Options given);

    Options options;
    Selection selection;    ///< --table, --schema, --exclude-table
    NameMap maps;           ///< --map
    ColumnEntries columns;  ///< --map-column, --key, --columns, --exclude-columns, --form
    TableSettings tables;   ///< of the configuration file
};

}  // namespace parity::driver
