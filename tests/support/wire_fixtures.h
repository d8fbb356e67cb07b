#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/postgres/values/names.h"
#include "driver/postgres/values/type_rules.h"
#include "driver/postgres/values/types.h"
#include "tests/support/core_bytes.h"

/// Made-up catalogs and values on the wire, for tests of their readers.
namespace parity::driver::fixtures {

/// An integer as it travels.
template <typename T>
std::string be(T value) {
    std::string bytes(sizeof value, '\0');
    core::store_be(reinterpret_cast<std::uint8_t*>(bytes.data()), value);
    return bytes;
}
inline std::string be32(std::int64_t value) { return be(static_cast<std::uint32_t>(value)); }
inline std::string be16(std::int64_t value) { return be(static_cast<std::uint16_t>(value)); }
/// A value behind its length.
inline std::string sized(const std::string& value) { return be32(static_cast<std::int64_t>(value.size())) + value; }
inline std::string wire_null() { return be32(-1); }

/// A catalog under construction; each function gives the type's OID.
class Types {
  public:
    std::uint32_t builtin(const std::string& name) { return add("pg_catalog", name, 'b'); }
    std::uint32_t own(const std::string& name, char kind = 'b') { return add("public", name, kind); }
    std::uint32_t of_extension(const std::string& extension, const std::string& name, bool has_send = true) {
        const std::uint32_t oid = own(name);
        catalog_[oid].extension = extension;
        catalog_[oid].has_send = has_send;
        return oid;
    }
    std::uint32_t array(std::uint32_t element) {
        const std::uint32_t oid = own("_" + catalog_[element].name);
        catalog_[oid].element = element;
        return oid;
    }
    std::uint32_t domain(std::uint32_t base) {
        const std::uint32_t oid = own("d", 'd');
        catalog_[oid].base = base;
        return oid;
    }
    std::uint32_t range(std::uint32_t subtype, char kind = 'r') {
        const std::uint32_t oid = own("r", kind);
        catalog_[oid].subtype = subtype;
        return oid;
    }
    std::uint32_t record(std::vector<TypeDesc::Attribute> attributes) {
        const std::uint32_t oid = own("c", 'c');
        catalog_[oid].attributes = std::move(attributes);
        return oid;
    }
    const TypeCatalog& catalog() const { return catalog_; }
    TypeDesc& operator[](std::uint32_t oid) { return catalog_[oid]; }

    std::vector<std::string> forms(std::uint32_t type) const { return wire_forms(catalog_, type).forms; }
    std::string reason(std::uint32_t type) const { return wire_forms(catalog_, type).reason; }

    /// A value's canonical bytes under a form, or the type's default.
    std::string read(std::uint32_t type, std::string_view wire, std::string form = {},
                     std::shared_ptr<const ObjectNames> names = nullptr) const {
        if (form.empty()) form = forms(type).at(0);
        ByteBuffer buffer;
        // a copy without room behind it, so that a sanitizer sees whoever reads beyond its end
        const std::unique_ptr<char[]> copy(new char[wire.size()]);
        wire.copy(copy.get(), wire.size());
        const auto reader = make_wire_decoder(catalog_, type, form, std::move(names));
        return test::bytes_of(reader->read({copy.get(), wire.size()}, buffer));
    }
    std::string read_builtin(const std::string& type, std::string_view wire, const std::string& form = {}) {
        return read(builtin(type), wire, form);
    }

  private:
    std::uint32_t add(const std::string& schema, const std::string& name, char kind) {
        TypeDesc type;
        type.oid = static_cast<std::uint32_t>(catalog_.size() + 1000);
        type.schema = schema;
        type.name = type.display = name;
        type.kind = kind;
        catalog_[type.oid] = type;
        return type.oid;
    }
    TypeCatalog catalog_;
};

/// What `append(sink)` appends, or throws.
inline std::string appended(const std::function<void(core::ByteSink&)>& append) {
    ByteBuffer buffer;
    append(buffer.sink());
    EXPECT_FALSE(buffer.sink().failed);
    return test::bytes_of(buffer.view());
}

/// The error that `call` throws.
inline Error thrown(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "no error was thrown";
    return Error(ErrorKind::kUsage, "none");
}

/// Expects that these bytes are refused as no value of the type.
inline void expect_malformed(const std::function<void()>& call, const std::string& context) {
    try {
        call();
        ADD_FAILURE() << context << " was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInternal) << context << ": " << error.what();
    }
}

}  // namespace parity::driver::fixtures
