#include "driver/report/claim_json.h"

#include <algorithm>

#include "driver/report/finding_json.h"
#include "driver/text/utc.h"
#include "driver/text/words.h"

namespace parity::driver {
namespace {

Json json_span(const TableResult& table, const SpanClaim& span) {
    return {{"lower", json_bound(table.plan.key, span.span.lower)},
            {"upper", json_bound(table.plan.key, span.span.upper)},
            {"result", verdict_name(span.verdict)},
            {"as_of", show_utc(span.as_of_us)},
            {"rows", {{"source", json_number(span.rows.source)}, {"target", json_number(span.rows.target)}}},
            {"lsn", {{"source", span.lsn.source}, {"target", span.lsn.target}}}};
}

}  // namespace

void add_claim(Json& json, const TableResult& result) {
    json["claim"] = result.spans_planned > 0 ? "spans" : "table";
    if (result.as_of_us > 0) json["as_of"] = show_utc(result.as_of_us);
    json["verified_through"] = {{"source", result.lsn.source}, {"target", result.lsn.target}};
    if (result.spans_planned == 0) return;
    Json spans = Json::array();
    std::int64_t last = result.as_of_us;
    for (const SpanClaim& span : result.spans) {
        spans.push_back(json_span(result, span));
        last = std::max(last, span.as_of_us);
    }
    json["as_of_last"] = show_utc(last);
    json["spans_planned"] = result.spans_planned;
    json["spans"] = std::move(spans);
}

}  // namespace parity::driver
