#pragma once

#include <string>
#include <string_view>

#include "driver/model/plan.h"
#include "driver/model/sides.h"

/// How names are spelled. Two names never have one spelling.
namespace parity::driver {

struct ServerInfo;

/// An identifier for people, as SQL spells it: in double quotes only where quote_ident() has them, as
/// U&"a\000ab" where a character of it is not printable (printable.h), which then stands as its code. One that is not
/// UTF-8, for which SQL has no spelling in that, is E"a\xff".
std::string display_name(std::string_view identifier);

/// "public.orders".
std::string display_name(const QualifiedName& name);

/// "public.orders", or "old.orders → new.orders" where the names differ.
std::string display_name(const Both<QualifiedName>& names);

/// What a plan is about: a table's names, or "large objects", which is no table's name; or how one side calls it.
std::string display_name(const TablePlan& plan);
std::string display_name(const TablePlan& plan, Side side);

/// The same for JSON and records, which hold every character: in double quotes only where quote_ident()
/// has them, the characters as they are. What is not UTF-8 is E"a\xff" here, too.
std::string exact_name(std::string_view identifier);
std::string exact_name(const QualifiedName& name);
std::string exact_name(const Both<QualifiedName>& names);
std::string exact_name(const TablePlan& plan);
std::string exact_name(const TablePlan& plan, Side side);

/// What exact_name() gave, also several joined by dots, as display_name() gives it.
std::string displayed(std::string_view exact);

/// The name of a column by itself for JSON and records: as it is; E"a\xff" where it is not UTF-8, or begins like that.
std::string bare_name(const std::string& identifier);

/// "database shop on db1.example:5432".
std::string describe_database(const ServerInfo& server);

}  // namespace parity::driver
