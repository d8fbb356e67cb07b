#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace parity::driver {

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

}  // namespace parity::driver
