#include "driver/postgres/lookups/full_disk.h"

#include <charconv>
#include <exception>

#include <fmt/format.h>

#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

constexpr std::string_view kTablespaces = "pg_tblspc/";

/// "tablespace fast (/mnt/fast)"; its OID where nobody tells the name.
std::string name_of_tablespace(Session& session, std::uint32_t oid) {
    try {
        const Query query = tablespace_query(oid);
        const Result found = session.connection().query(query.sql, query.parameters);
        if (found.rows() == 1) return fmt::format("tablespace \"{}\" ({})", found.text(0, 0), found.text(0, 1));
    } catch (const std::exception&) {
        // The failure is told all the same.
    }
    return fmt::format("the tablespace with OID {}", oid);
}

std::string name_of(Session& session, const NamedFile& file) {
    const std::string_view what = file.temporary ? "temporary files in " : "";
    switch (file.place) {
        case NamedFile::Place::kTablespace:
            return fmt::format("{}{}", what, name_of_tablespace(session, file.tablespace));
        case NamedFile::Place::kDataDirectory:
            return fmt::format("{}the data directory", what);
        case NamedFile::Place::kLog:
            return "the write-ahead log (pg_wal)";
        case NamedFile::Place::kUnknown:
            break;
    }
    return {};
}

}  // namespace

NamedFile named_file(std::string_view message) {
    NamedFile file;
    file.temporary = message.find("pgsql_tmp") != std::string_view::npos;
    if (const std::size_t at = message.find(kTablespaces); at != std::string_view::npos) {
        const std::string_view number = message.substr(at + kTablespaces.size());
        const auto end = number.data() + number.size();
        if (std::from_chars(number.data(), end, file.tablespace).ec == std::errc())
            file.place = NamedFile::Place::kTablespace;
    } else if (message.find("pg_wal/") != std::string_view::npos) {
        file.place = NamedFile::Place::kLog;
    } else if (message.find("base/") != std::string_view::npos || message.find("global/") != std::string_view::npos) {
        file.place = NamedFile::Place::kDataDirectory;
    }
    return file;
}

Error explain_full_disk(Session& session, const Error& error) {
    session.end();
    const std::string name = name_of(session, named_file(error.what()));
    const std::string where = name.empty() ? "" : fmt::format(", of {}", name);
    return {error.kind(),
            fmt::format("a disk of the {} is full{}: {}", side_name(session.side()), where, error.what()),
            "make room there, or let temp_tablespaces name another disk",
            error.server(),
            error.sqlstate(),
            error.by_server_itself()};
}

}  // namespace parity::driver
