#pragma once

#include <string>
#include <vector>

namespace parity::driver {

/// How the values of a type are written where their form does not tell it: the form of a "char" is that of a bytea, and
/// the form of a composite type does not know the order of its attributes. Of a domain it is that of its base type.
struct Notation {
    enum class Kind {
        kByForm,    ///< as the form's name says
        kChar,      ///< "char": a byte as a character
        kLsn,       ///< pg_lsn: two hexadecimal numbers
        kReal,      ///< real: the shortest number that reads back as the same in single precision
        kMoney,     ///< money: an amount with the digits behind the point
        kOperator,  ///< regoper and regoperator: none is 0
        kVector,    ///< int2vector and oidvector: numbers with blanks between them
    };
    Kind kind = Kind::kByForm;
    std::vector<Notation> parts{};     ///< of an array or a range: the type inside; of a composite type: its attributes
    std::vector<std::string> names{};  ///< of a composite type: its attributes' names in its order, parallel to `parts`
    int digits = 0;                    ///< of money: behind the point
    std::string point{};               ///< of money
};

}  // namespace parity::driver
