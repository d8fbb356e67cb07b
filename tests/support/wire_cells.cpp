#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/order.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/catalog/object_names.h"
#include "driver/postgres/catalog/types.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/values/names.h"
#include "driver/postgres/values/type_rules.h"
#include "driver/postgres/values/types.h"

/// What the streaming engine makes of a table's values, for the tests that compare it with other readers.
///
///     parity_wire_cells CONNINFO
///
/// answers each line of standard input, a JSON object, by a line:
///
///     {"forms": "public.t"}
///         {"column": {"forms": ["int", "decimal"], "lossy": [], "reason": ""}, …}
///     {"read": "public.t", "seed": "1", "columns": [["id", "int"], ["v", "text"], …]}
///         one element a row, in it for each column but the first, which is the key:
///         [canonical bytes or null, cell hash of 64 bits, cell hash of 128 bits], as hexadecimal digits
///
/// or by {"error": message, "sqlstate": state}.
namespace parity::driver {
namespace {

using nlohmann::json;

std::string hex(std::string_view bytes) {
    std::string digits;
    for (const unsigned char byte : bytes) digits += fmt::format("{:02x}", byte);
    return digits;
}

std::string hex(core::u64 hash) { return fmt::format("{:016x}", hash); }
std::string hex(core::u128 hash) { return hex(core::high_half(hash)) + hex(core::low_half(hash)); }

struct Column {
    std::string name;
    std::uint32_t type;
};

std::vector<Column> columns_of(Connection& connection, const std::string& relation, TypeCatalog& catalog) {
    const Result result = connection.query(
        "SELECT a.attname, a.atttypid FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1::pg_catalog.regclass"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {relation});
    std::vector<Column> columns;
    std::vector<std::uint32_t> types;
    for (int row = 0; row < result.rows(); ++row) {
        columns.push_back({std::string(result.text(row, 0)),
                           static_cast<std::uint32_t>(std::stoul(std::string(result.text(row, 1))))});
        types.push_back(columns.back().type);
    }
    read_types(connection, types, catalog);
    return columns;
}

json answer_forms(Connection& connection, const std::string& relation) {
    TypeCatalog catalog;
    json answer = json::object();
    for (const Column& column : columns_of(connection, relation, catalog)) {
        const WireForms forms = wire_forms(catalog, column.type);
        answer[column.name] = {{"forms", forms.forms}, {"lossy", forms.lossy}, {"reason", forms.reason}};
    }
    return answer;
}

template <typename H>
std::string cell_hash(core::ByteView framed_key, std::optional<core::ByteView> value, core::u64 seed) {
    const core::u64 cell_seed = core::low_half(core::hash_bytes<H>(framed_key, seed));
    return hex(value ? core::hash_bytes<H>(*value, cell_seed) : core::null_cell_hash<H>(cell_seed));
}

/// Reads rows whose first field is the key.
class Cells {
  public:
    Cells(Connection& connection, const json& request) : connection_(connection) {
        relation_ = request.at("read");
        seed_ = static_cast<core::u64>(std::stoll(request.at("seed").get<std::string>()));
        const std::vector<Column> columns = columns_of(connection, relation_, catalog_);
        std::vector<std::string> needed;
        for (const json& wanted : request.at("columns")) {
            const std::string name = wanted.at(0);
            const auto column =
                std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
            if (column == columns.end()) throw Error(ErrorKind::kUsage, "no column " + name);
            readers_.push_back(make_wire_decoder(catalog_, column->type, wanted.at(1).get<std::string>(), names_));
            expressions_ +=
                (expressions_.empty() ? "" : ", ") + readers_.back()->select_expression("t." + quote_identifier(name));
            readers_.back()->add_needed_names(needed);
        }
        read_object_names(connection, needed, *names_);
    }

    json read() {
        json rows = json::array();
        CopyStream stream = connection_.copy_out("COPY (SELECT " + expressions_ + " FROM " + relation_ +
                                                 " AS t ORDER BY 1) TO STDOUT (FORMAT binary)");
        CopyRowReader reader(readers_.size());
        while (const std::optional<std::string_view> message = stream.next())
            if (const std::optional<std::span<const ValueField>> row = reader.read(*message))
                rows.push_back(cells(*row));
        reader.require_complete(stream.rows());
        return rows;
    }

  private:
    json cells(std::span<const ValueField> row) {
        ByteBuffer key;
        core::append_frame(key.sink(), readers_[0]->form(), readers_[0]->read(row[0].value(), buffer_));
        json cells = json::array();
        for (std::size_t i = 1; i < row.size(); ++i) {
            std::optional<core::ByteView> value;
            if (row[i]) value = readers_[i]->read(*row[i], buffer_);
            cells.push_back({value ? json(hex(core::as_text(*value))) : json(),
                             cell_hash<core::u64>(key.view(), value, seed_),
                             cell_hash<core::u128>(key.view(), value, seed_)});
        }
        return cells;
    }

    Connection& connection_;
    std::string relation_;
    core::u64 seed_;
    TypeCatalog catalog_;
    std::vector<std::shared_ptr<const WireDecoder>> readers_;
    std::string expressions_;
    std::shared_ptr<ObjectNames> names_ = std::make_shared<ObjectNames>();
    ByteBuffer buffer_;
};

json answer(Connection& connection, const json& request) {
    try {
        if (request.contains("forms")) return answer_forms(connection, request.at("forms"));
        return Cells(connection, request).read();
    } catch (const Error& error) {
        return {{"error", error.what()}, {"sqlstate", error.sqlstate()}};
    }
}

}  // namespace
}  // namespace parity::driver

int main(int argc, char** argv) {
    using namespace parity::driver;
    if (argc != 2) return 2;
    try {
        Connection connection = Connection::open("source", argv[1], "parity_wire_cells", 10);
        for (std::string line; std::getline(std::cin, line);)
            std::cout << answer(connection, nlohmann::json::parse(line)).dump() << std::endl;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
