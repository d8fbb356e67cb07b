#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "driver/report/document.h"

namespace parity::driver {

/// A report beside an older one of the same databases: which divergences are new, which persist, and how many are gone.
/// A table's are told only where both lists are whole and were made alike: the same key, columns, forms and condition.
/// Otherwise it is told why they are unknown, with the counts of both.
///
/// Its head has a member "against" for that, and each divergence of such a table a member "against": "new" or
/// "persisting".
class AgainstDocument : public ReportDocument {
  public:
    /// Requires: both outlive it.
    AgainstDocument(const ReportDocument& document, const ReportDocument& older);

    const Json& head() const override { return head_; }
    void for_each_divergence(std::optional<std::size_t> table,
                             const std::function<void(const Json&)>& take) const override;

  private:
    /// How many divergences there are of a key, by the key's hash.
    using Keys = std::unordered_map<std::string, std::uint64_t>;

    Json compare(const Json& table, std::size_t number, const Json* older, std::size_t older_number);
    static Keys keys_of(const ReportDocument& document, std::size_t table);

    const ReportDocument& document_;
    const ReportDocument& older_;
    Json head_;
    std::map<std::size_t, Keys> older_keys_;  ///< of the tables that are told
};

}  // namespace parity::driver
