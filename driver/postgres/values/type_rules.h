#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "driver/engine/value_reader.h"
#include "driver/postgres/values/names.h"
#include "driver/postgres/values/types.h"

/// Which types have which forms when their values are read from the wire (docs/digest-format.md, section 2.8), and how.
/// What parity.forms() says inside a server, this says for one without the extension: the two must agree.
namespace parity::driver {

/// Reads the values of one column, or of one part of a nested value, from the binary wire format.
class WireDecoder : public ValueReader {
  public:
    /// The SQL expression whose value is read, given that of the column ("t.\"a b\""): the column itself, or a cast
    /// of it where its own binary format does not hold what the form needs.
    virtual std::string select_expression(const std::string& column) const { return column; }

    /// Adds the catalogs whose objects' names the reader needs.
    /// Requires: those names are in its `ObjectNames` before values are read.
    virtual void add_needed_names(std::vector<std::string>& /*catalogs*/) const {}

  protected:
    using ValueReader::ValueReader;
};

/// What a type can be hashed as from the wire.
struct WireForms {
    std::vector<std::string> forms;  ///< full names, the default first; empty: not comparable
    std::vector<std::string> lossy;  ///< only when asked for; "zone" stands where a time zone is to be named
    std::string reason;              ///< why not comparable
};

/// Every form of a type that the stream can compute; `jsonb_raw` never is one.
WireForms wire_forms(const TypeCatalog& catalog, std::uint32_t type);

/// The reader of a type under a form's full name, with a time zone in place of "zone". `names`: where it finds the
/// names of objects; they are read after it is made and before values are.
/// Throws: Error{kUsage} where the type has no such form.
std::shared_ptr<const WireDecoder> make_wire_decoder(const TypeCatalog& catalog, std::uint32_t type,
                                                     std::string_view form_name,
                                                     std::shared_ptr<const ObjectNames> names = nullptr);

}  // namespace parity::driver
