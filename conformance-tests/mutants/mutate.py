"""Puts every mutant of a C++ file into one text, each behind a switch. Knows the style of this house: binary operators
stand between blanks, templates do not; it reads tokens, not types. What each mutant is:

    ==  !=              the opposite
    <  <=  >  >=        the same with or without the end · the opposite
    &&  ||              the other one
    !                   left out
    return X;           not returned, where the statement stands under a condition
    return X;           another value (mutant.hpp: the opposite, none, an error …)
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    //[^\n]*|/\*.*?\*/ | R"(?P<delimiter>[^()\s]*)\(.*?\)(?P=delimiter)" | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
  | [A-Za-z_]\w* | \d[\w.']* | ->\* | <=> | <<= | >>= | \.\.\. | :: | -> | \+\+ | -- | << | [<>=!+\-*/%&|^]= | && | \|\|
  | [^\s\w]""", re.X | re.S)
OPENING, CLOSING = "([{", ")]}"
COMPARISONS = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"]}
LOGICAL = {"&&": ["||"], "||": ["&&"]}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "<<=", ">>="}
# Where an operand ends, by how tightly the operator binds: 1 ||, 2 &&, 3 == !=, 4 < <= > >=
BINDS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4}


@dataclass(frozen=True)
class Token:
    text: str
    begin: int
    end: int


@dataclass(frozen=True)
class Mutant:
    number: int
    file: str
    line: int
    change: str
    source: str  # the line it stands in, trimmed
    place: int   # which of the equal changes of equal lines

    @property
    def key(self):
        return f"{self.file} | {self.source} | {self.change} | {self.place}"


def tokens_of(text):
    found, line_start = [], 0
    for match in TOKEN.finditer(text):
        if match[0].startswith(("//", "/*")):
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start:].lstrip().startswith("#"):
            continue
        found.append(Token(match[0], match.start(), match.end()))
    return found


class File:
    def __init__(self, name, text, first_number):
        self.name, self.text, self.tokens = name, text, tokens_of(text)
        self.partner = self.match()
        self.mutants, self.number, self.seen = [], first_number, {}
        self.rewrites = []  # (begin, end, how): how(text of begin..end, rewritten inside) -> text
        for index, token in enumerate(self.tokens):
            self.look_at(index, token)

    def match(self):
        partner, open_ones = {}, []
        for index, token in enumerate(self.tokens):
            if token.text in OPENING:
                open_ones.append(index)
            elif token.text in CLOSING:
                other = open_ones.pop()
                partner[index], partner[other] = other, index
        return partner

    def spaced(self, token):
        return self.text[token.begin - 1].isspace() and self.text[token.end].isspace()

    def add(self, token, change):
        begin = self.text.rfind("\n", 0, token.begin) + 1
        source = self.text[begin:self.text.index("\n", token.begin)].strip()
        place = self.seen[source, change] = self.seen.get((source, change), 0) + 1
        self.mutants.append(Mutant(self.number, self.name, self.text.count("\n", 0, token.begin) + 1, change, source,
                                   place))
        self.number += 1
        return self.number - 1

    def left_end(self, index, binding):
        """The first token of the operand before an operator."""
        at = index - 1
        while at >= 0:
            text = self.tokens[at].text
            if text in CLOSING and text != "}":
                at = self.partner[at]
            elif text == "}":
                # the end of a lambda or a braced value belongs to the operand, the end of a statement does not
                if not self.is_value_brace(at):
                    return at + 1
                at = self.partner[at]
            elif text in OPENING or text in (",", ";", "?", ":", "return") or text in ASSIGNMENTS:
                return at + 1
            elif text in BINDS and self.spaced(self.tokens[at]) and BINDS[text] < binding:
                return at + 1
            at -= 1
        return 0

    def is_value_brace(self, closing):
        before = self.tokens[self.partner[closing] - 1].text
        return re.fullmatch(r"[A-Za-z_]\w*", before) and before not in ("else", "do", "const", "noexcept")

    def right_end(self, index, binding):
        """The last token of the operand behind an operator."""
        at = index + 1
        while True:
            text = self.tokens[at].text
            if text in OPENING:
                at = self.partner[at]
            elif text in CLOSING or text in (",", ";", "?", ":"):
                return at - 1
            elif text in BINDS and self.spaced(self.tokens[at]) and BINDS[text] <= binding:
                return at - 1
            at += 1

    def look_at(self, index, token):
        text = token.text
        if text in COMPARISONS | LOGICAL and self.spaced(token) and self.tokens[index - 1].text != "operator":
            if self.is_constant(index):
                return
            first, last = self.left_end(index, BINDS[text]), self.right_end(index, BINDS[text])
            changes = (COMPARISONS | LOGICAL)[text]
            numbers = [(self.add(token, f"{text} becomes {other}"), other) for other in changes]
            self.rewrite_binary(first, index, last, numbers)
        elif text == "!" and not self.is_constant(index):
            number = self.add(token, "! is left out")
            self.rewrites.append((token.begin, token.end, lambda _, n=number: f"::mutant::negation({n}) * "))
        elif text == "return":
            self.look_at_return(index, token)

    def is_constant(self, index):
        """Within a constexpr or static_assert declaration."""
        at = index
        while at > 0 and self.tokens[at].text not in (";", "{", "}"):
            if self.tokens[at].text in ("constexpr", "static_assert", "requires", "concept"):
                return True
            at -= 1
        return False

    def rewrite_binary(self, first, index, last, numbers):
        begin, middle, end = self.tokens[first].begin, self.tokens[index], self.tokens[last].end

        def how(inner, numbers=tuple(numbers)):
            left, right = inner(begin, middle.begin).strip(), inner(middle.end, end).strip()
            text = f"(({left}) {middle.text} ({right}))"
            for number, other in numbers:
                text = f"(::mutant::on({number}) ? (({left}) {other} ({right})) : {text})"
            return text
        self.rewrites.append((begin, end, how))

    def look_at_return(self, index, token):
        semicolon = index + 1
        while self.tokens[semicolon].text != ";":
            semicolon = self.partner.get(semicolon, semicolon) + 1
        value = self.tokens[index + 1:semicolon]
        begin, end = token.begin, self.tokens[semicolon].end
        guarded = self.is_guarded(index)
        dropped = self.add(token, "not returned") if guarded else None
        # `fail(…)` is an error already, braces have no type of their own, a comma may part two.
        plain = value and value[0].text not in ("{", "fail") and not self.has_bare(value, (",",))
        # what is compared has its own mutants, which change the value
        plain = plain and not (self.has_bare(value, tuple(BINDS)) or value[0].text == "!")
        changed = self.add(token, "another value") if plain else None
        if dropped is None and changed is None:
            return

        def how(inner):
            text = inner(token.end, self.tokens[semicolon].begin).strip()
            if changed is not None:
                text = f"::mutant::returned({changed}, {text})"
            statement = f"return {text};"
            return f"{{ if (!::mutant::on({dropped})) {statement} }}" if dropped is not None else statement
        self.rewrites.append((begin, end, how))

    def has_bare(self, value, words):
        depth = 0
        for token in value:
            depth += (token.text in OPENING) - (token.text in CLOSING)
            if depth == 0 and token.text in words and (token.text not in BINDS or self.spaced(token)):
                return True
        return False

    def is_guarded(self, index):
        """Whether going on without this return is still a path of the function: it stands right behind a condition, or
        in a block of one that is not the function's own."""
        before = self.tokens[index - 1].text
        if before == ")":
            return True
        return before == ":" or (before == "{" and self.tokens[index - 2].text in (")", "else") and
                                 self.tokens[self.partner.get(index - 2, index - 2) - 1].text in ("if", "for", "while"))

    def rewritten(self):
        """The text with every mutant in it."""
        rewrites = sorted(self.rewrites, key=lambda rewrite: (rewrite[0], -rewrite[1]))

        def inner(begin, end, among):
            out, at = [], begin
            inside = [one for one in among if begin <= one[0] and one[1] <= end]
            while inside:
                first = inside[0]
                rest = inside[1:]
                nested = [one for one in rest if one[1] <= first[1]]
                inside = [one for one in rest if one[0] >= first[1]]
                out.append(self.text[at:first[0]])
                out.append(first[2](lambda b, e, n=nested: inner(b, e, n)))
                at = first[1]
            out.append(self.text[at:end])
            return "".join(out)
        return '#include "conformance-tests/mutants/mutant.hpp"\n' + inner(0, len(self.text), rewrites)
