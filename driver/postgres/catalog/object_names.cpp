#include "driver/postgres/catalog/object_names.h"

#include <cstdint>
#include <optional>

#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/types.h"

namespace parity::driver {

void read_object_names(Connection& connection, const std::vector<std::string>& catalogs, ObjectNames& names) {
    for (const std::string& catalog : catalogs) {
        if (names.holds(catalog)) continue;
        names.add(catalog, 0, "-");  // one that holds nothing has been read too
        const Query query = object_names_query(catalog);
        RowStream rows = connection.stream(query.sql, query.parameters);
        while (const std::optional<Row> row = rows.next())
            names.add(catalog, static_cast<std::uint32_t>(row->int32(0)), std::string(row->bytes(1)));
    }
}

}  // namespace parity::driver
