#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/form.h"
#include "driver/model/plan.h"

/// Canonical values as PostgreSQL reads them: the text that its input function takes for the same value. It is close to
/// what the server prints, but without what a form does not keep (the scale of a decimal), and the same on every
/// server.
namespace parity::driver {

/// A form with the forms inside it, and how a type's values are written.
struct LiteralShape;

/// Writes the values of one column.
class LiteralWriter {
  public:
    /// `form` is a full name, as "range<int>[]".
    /// Throws: Error{kInternal} for a name that is none.
    LiteralWriter(std::string_view form, const Notation& notation);
    ~LiteralWriter();
    LiteralWriter(LiteralWriter&&) noexcept;
    LiteralWriter& operator=(LiteralWriter&&) noexcept;

    core::Form form() const;

    /// The text of a value; of bytes that are none of the form, these in hexadecimal.
    std::string text(core::ByteView canonical) const;

  private:
    std::unique_ptr<const LiteralShape> shape_;
};

/// Writes the keys of a table, or the rows of one without a key.
class KeyWriter {
  public:
    /// `columns` are those that the keys hold: framed_columns() of show.h.
    explicit KeyWriter(const std::vector<ColumnPlan>& columns);

    /// The values of a framed key, nothing for NULL.
    /// Throws: Error{kInternal} where the bytes are no key of these forms.
    std::vector<std::optional<std::string>> values(std::string_view framed) const;

    /// The same of the leading columns that are framed, as in a bound (docs/digest-format.md, section 7).
    std::vector<std::optional<std::string>> leading_values(std::string_view framed) const;

  private:
    std::vector<LiteralWriter> columns_;
};

}  // namespace parity::driver
