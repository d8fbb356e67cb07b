#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.h"
#include "core/form.h"
#include "driver/postgres/catalog/types.h"
#include "driver/postgres/connection/connection.h"

/// Which types have which forms when their values are read from the wire (docs/digest-format.md, section 2.8), and how.
/// What parity.forms() says inside a server, this says for one without the extension: the two must agree.
namespace parity::driver {

struct WireScratch;

/// Canonical bytes under construction, in std memory, and what readers work with meanwhile. A growth that fails sets
/// sink.failed.
class ByteBuffer {
  public:
    ByteBuffer();
    ~ByteBuffer();
    ByteBuffer(const ByteBuffer&) = delete;
    ByteBuffer& operator=(const ByteBuffer&) = delete;
    core::ByteSink& sink() { return sink_; }
    core::ByteView view() const { return sink_.view(); }
    void clear() {
        sink_.clear();
        sink_.failed = false;
    }
    /// Gives its memory back where it is more than `keep` bytes; the bytes are lost then.
    void shrink(std::size_t keep);
    WireScratch& scratch() { return *scratch_; }

  private:
    core::ByteSink sink_;
    std::unique_ptr<WireScratch> scratch_;
};

/// The names behind the OIDs of reg* values, as the form `text` has them: filled before values are read, because a
/// connection in the middle of a COPY cannot be asked.
class ObjectNames {
  public:
    /// Of a catalog ("pg_class", "pg_proc", …; of regprocedure and regoperator with argument types:
    /// "pg_proc()", "pg_operator()") the name of an object.
    void add(const std::string& catalog, std::uint32_t oid, std::string name);
    /// The object's name, "-" for 0, the number for an OID that names nothing.
    std::string find(const std::string& catalog, std::uint32_t oid) const;
    bool holds(const std::string& catalog) const;

  private:
    std::unordered_map<std::string, std::unordered_map<std::uint32_t, std::string>> names_;
};

/// Reads the values of one column, or of one part of a nested value, from the binary wire format into canonical bytes.
/// Immutable and safe to share between threads.
class WireReader {
  public:
    virtual ~WireReader() = default;

    /// The form's full name and its code.
    const std::string& form_name() const { return name_; }
    core::Form form() const { return form_; }

    /// The SQL expression whose value is read, given that of the column ("t.\"a b\""): the column itself, or a cast
    /// of it where its own binary format does not hold what the form needs.
    virtual std::string select_expression(const std::string& column) const { return column; }

    /// The catalogs whose names must be in `ObjectNames` before values are read.
    virtual void add_needed_names(std::vector<std::string>& /*catalogs*/) const {}

    /// The canonical bytes of a value that is not NULL: a view of `wire` itself where they are the same, or of
    /// `buffer`, which is overwritten. Throws Error{kServer} with an SQLSTATE for a value that the form cannot hold,
    /// Error{kInternal} for bytes that are no value of the type.
    virtual core::ByteView read(std::string_view wire, const ObjectNames& names, ByteBuffer& buffer) const = 0;

  protected:
    WireReader(core::Form form, std::string name) : form_(form), name_(std::move(name)) {}

  private:
    core::Form form_;
    std::string name_;
};

/// What a type can be hashed as from the wire.
struct WireForms {
    std::vector<std::string> forms;  ///< full names, the default first; empty: not comparable
    std::vector<std::string> lossy;  ///< only when asked for; "zone" stands where a time zone is to be named
    std::string reason;              ///< why not comparable
};

/// Every form of a type that the stream can compute; `jsonb_raw` never is one.
WireForms wire_forms(const TypeCatalog& catalog, std::uint32_t type);

/// The reader of a type under a form's full name, with a time zone in place of "zone". Throws Error{kUsage} where the
/// type has no such form.
std::shared_ptr<const WireReader> make_wire_reader(const TypeCatalog& catalog, std::uint32_t type,
                                                   std::string_view form_name);

/// Reads the names of these catalogs' objects, under the connection's snapshot.
void read_object_names(Connection& connection, const std::vector<std::string>& catalogs, ObjectNames& names);

}  // namespace parity::driver
