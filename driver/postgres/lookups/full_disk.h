#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "driver/model/error.h"
#include "driver/postgres/connection/session.h"

namespace parity::driver {

/// A file of a server that a message names, by the folder that it is in.
struct NamedFile {
    enum class Place { kUnknown, kTablespace, kDataDirectory, kLog };
    Place place = Place::kUnknown;
    std::uint32_t tablespace = 0;  ///< of kTablespace: its OID
    bool temporary = false;
};

/// Finds the file of a message such as: could not write to file "pg_tblspc/16389/PG_15_202209061/pgsql_tmp/…". Its
/// words may be in any language.
NamedFile named_file(std::string_view message);

/// The failure of a server that found a disk full, with the name of what is full and where that is. A session that can
/// still be asked tells the name of a tablespace.
/// Requires: the session's transaction may have failed; it is ended.
Error explain_full_disk(Session& session, const Error& error);

}  // namespace parity::driver
