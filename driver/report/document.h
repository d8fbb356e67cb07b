#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "driver/report/finding_json.h"
#include "driver/report/report.h"
#include "driver/state/findings.h"

namespace parity::driver {

/// "schema_version" of the document.
inline constexpr int kReportSchemaVersion = 1;

/// A server, as the documents of a run and of a plan tell it.
Json json_server(const ServerInfo& server);

/// What a report tells of a run that begins: the document without what only its end brings (the result and what was
/// compared). Its "schema_differences" are those of the plan.
Json beginning_of(const RunReport& report);

/// A table that was finished, as a member of "tables" without its divergences.
Json json_table(const TableResult& result);

/// What a report is about: the document of docs/report.schema.json, with the divergences apart, of which there may be
/// more than fit into memory. Every format is made from it, so a report that was kept as JSON can be turned into any
/// other.
class ReportDocument {
  public:
    virtual ~ReportDocument() = default;

    /// The whole document, in which the lists of divergences are empty.
    virtual const Json& head() const = 0;

    /// Calls `take` for each divergence of a table, in the order of their keys. `table` is its index in
    /// head()["tables"]; nothing: the large objects.
    virtual void for_each_divergence(std::optional<std::size_t> table,
                                     const std::function<void(const Json&)>& take) const = 0;
};

/// The document of a run that has just ended.
class RunDocument : public ReportDocument {
  public:
    /// Requires: the run and the store outlive it and do not change.
    RunDocument(const RunReport& report, FindingStore& findings);

    const Json& head() const override { return head_; }
    void for_each_divergence(std::optional<std::size_t> table,
                             const std::function<void(const Json&)>& take) const override;

    /// Where a member of head()["tables"] stands in RunReport::tables.
    /// Returns: nothing for a table of the plan's that could not be compared at all.
    std::optional<std::size_t> position(std::size_t table) const { return positions_.at(table); }

  private:
    void add_tables();
    void add_large_objects();

    const RunReport& report_;
    FindingStore& findings_;
    Json head_;
    std::vector<std::optional<std::size_t>> positions_;  ///< of the document's tables among the run's
    std::optional<std::size_t> large_objects_;           ///< their position among the run's tables
};

}  // namespace parity::driver
