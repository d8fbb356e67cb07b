#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "driver/postgres/catalog/types.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/values/types.h"
#include "tests/fuzz/readers.h"

/// What tests/fuzz/make-seeds asks the driver:
///
///     parity_fuzz_seeds types CONNINFO OID…
///
/// writes these types and what they are made of as lines of types.tsv, in the order of their OIDs;
///
///     parity_fuzz_seeds readers
///
/// a JSON object a line for every reader of types.tsv: its name, selector, the type's OID, and the expression that it
/// reads for a column named v.
namespace parity::fuzz {
namespace {

void write_type(const driver::TypeDesc& type) {
    std::cout << type.oid << '\t' << type.schema << '\t' << type.name << '\t' << type.display << '\t' << type.kind
              << '\t' << type.element << '\t' << type.base << '\t' << type.subtype << '\t' << type.extension << '\t'
              << (type.has_send ? 't' : 'f');
    for (const auto& [name, oid] : type.attributes) std::cout << '\t' << name << '\t' << oid;
    std::cout << '\n';
}

void write_types(const std::string& conninfo, const std::vector<std::uint32_t>& oids) {
    auto connection = driver::Connection::open("source", conninfo, "parity_fuzz_seeds", 10);
    driver::TypeCatalog catalog;
    driver::read_types(connection, oids, catalog);
    const std::map<std::uint32_t, driver::TypeDesc> ordered(catalog.begin(), catalog.end());
    for (const auto& [oid, type] : ordered) write_type(type);
}

void write_readers() {
    for (const Reader& reader : all_readers())
        std::cout << nlohmann::json{{"name", reader.name},
                                    {"selector", reader.selector},
                                    {"type", reader.type},
                                    {"expression", reader.reader->select_expression("v")}}
                  << '\n';
}

}  // namespace
}  // namespace parity::fuzz

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    try {
        if (arguments.size() == 1 && arguments[0] == "readers") {
            parity::fuzz::write_readers();
        } else if (arguments.size() > 2 && arguments[0] == "types") {
            std::vector<std::uint32_t> oids;
            for (std::size_t i = 2; i < arguments.size(); ++i)
                oids.push_back(static_cast<std::uint32_t>(std::stoul(arguments[i])));
            parity::fuzz::write_types(arguments[1], oids);
        } else {
            return 2;
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
