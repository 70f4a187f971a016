"""How large an expression is with its counts written out."""

import pytest

from botkit_models.structured.expression import expanded_size

SIZES = {
    "": 0,
    "abc": 3,
    "a{5}": 5,
    "a{2,7}b": 8,
    "a{3,}": 3,
    "a{,4}": 4,
    "(ab){10}": 20,
    "(a{1,1000}){1,1000}": 1_000_000,
    "((a{10}){10}b){10}": 1_010,
    "[a-z]{8}": 8,
    "[]a{9}]{3}": 3,
    "[[a-z]{5}&&x]{2}": 2,
    r"[\]{7}]{3}": 3,
    r"\p{Greek}{6}": 6,
    r"\{5}": 3,
    r"\x{1F600}{2}": 2,
    "a+b*c?": 3,
    "a{2}{3}": 6,
    "(?:a|bc){4}": 20,
    "a{99999999999999999999}": 10**12,
    "((a{999999}){999999}){999999}": 10**12,
}


@pytest.mark.parametrize("pattern", SIZES)
def test_counts_multiply_through_groups(pattern):
    assert expanded_size(pattern) == SIZES[pattern]


@pytest.mark.parametrize("pattern", ["(((", ")))", "[", "\\", "{5}", "a{", "(a{3}", "*", "[\\"])
def test_what_is_no_expression_has_a_size_too(pattern):
    assert 0 <= expanded_size(pattern) < 20
