"""Reads the input text of tsvector and tsquery."""

import re

QUOTED = r"'(?P<quoted>(?:[^'\\]|''|\\.)*)'"
UNESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
VECTOR_ENTRY = re.compile(
    rf"\s*(?:{QUOTED}|(?P<bare>(?:[^\s:'\\]|\\.)+))(?::(?P<positions>\d+[A-Da-d]?(?:,\d+[A-Da-d]?)*))?", re.DOTALL
)
QUERY_TOKEN = re.compile(
    rf"\s*(?:(?P<operator>[!&|()])|<(?P<distance>-|\d+)>|(?:{QUOTED}|(?P<bare>(?:[^\s:'\\!&|()<]|\\.)+))(?::(?P<flags>[*A-Da-d]+))?)",
    re.DOTALL,
)
WEIGHTS = "DCBA"
LAST_POSITION = 2**14 - 1
PHRASE = "<"
# Operators of two operands from the loosest to the tightest.
BINARY_LEVELS = ("|", "&", PHRASE)


def lexeme_of(match):
    if match["quoted"] is None:
        return UNESCAPED.sub(r"\1", match["bare"])
    return UNESCAPED.sub(lambda escape: escape[1] or "'", match["quoted"])


def read_tsvector(literal):
    """A dict from lexemes to dicts from positions to weights (numbers from D 0 to A 3)."""
    lexemes = {}
    for match in VECTOR_ENTRY.finditer(literal.rstrip()):
        positions = lexemes.setdefault(lexeme_of(match), {})
        for written in (match["positions"] or "").upper().split(",") if match["positions"] else ():
            weight = WEIGHTS.index(written[-1]) if written[-1] in WEIGHTS else 0
            position = min(int(written.rstrip(WEIGHTS)), LAST_POSITION)
            # Of a position that occurs twice the higher weight counts.
            positions[position] = max(weight, positions.get(position, 0))
    return lexemes


def read_tsquery(literal):
    """A tree of ('v', lexeme, weights, is_prefix), ('!', operand), ('&' or '|', left, right) and ('<', distance, left, right).

    The empty query is None. Weights are bits from D 1 to A 8.
    """
    tokens = list(QUERY_TOKEN.finditer(literal.rstrip()))
    return QueryReader(tokens).binary(0) if tokens else None


class QueryReader:
    """Descends into the tokens of a query; operators of equal strength group from the left."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.next = 0

    def binary(self, level):
        if level == len(BINARY_LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while self.operator() == BINARY_LEVELS[level]:
            distance = self.take()["distance"]
            right = self.binary(level + 1)
            middle = (1 if distance == "-" else int(distance),) if distance else ()
            tree = (BINARY_LEVELS[level], *middle, tree, right)
        return tree

    def unary(self):
        token = self.take()
        if token["operator"] == "!":
            return "!", self.unary()
        if token["operator"] == "(":
            tree = self.binary(0)
            self.take()
            return tree
        flags = (token["flags"] or "").upper()
        weights = sum(1 << WEIGHTS.index(weight) for weight in set(flags) - {"*"})
        return "v", lexeme_of(token), weights, "*" in flags

    def operator(self):
        """The next token's operator, or None where it is none or there is no token."""
        if self.next == len(self.tokens):
            return None
        token = self.tokens[self.next]
        return PHRASE if token["distance"] else token["operator"]

    def take(self):
        self.next += 1
        return self.tokens[self.next - 1]
