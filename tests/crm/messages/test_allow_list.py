import pytest

from crm.messages.allow_list import MAX_SOURCE, Known, problems_of
from crm.messages.environment import OPERATOR

GOOD = [
    "Hi {{ member.name }}, you have {{ member.points|number }} points.",
    "{% if member.tier == 'gold' and not member.points < 5 %}Gold{% elif member.streak %}x{% else %}y{% endif %}",
    "{{ member.attributes.colour|default('blue')|upper }} {{ member['name']|truncate(10) }}",
    "{% for tag in member.tags %}{{ tag }} {% endfor %}{{ member.tags|join('、') }}",
    "{{ 'yes' if member.points else 'no' }} {{ brand.name }} {# a note #}",
    "{% raw %}{{ literally }}{% endraw %}",
    "plain text, 100 % safe, with } and { and emoji 👨‍👩‍👧",
]

HOSTILE = [
    "{{ member.name",
    "{% if member.name %}never closed",
    "{{ nobody }}",
    "{{ member.unknown }}",
    "{{ member.attributes.a.b }}",
    "{{ member }}",
    "{{ member.name.__class__.__mro__ }}",
    "{{ member['__class__'] }}",
    "{{ member.attributes.__class__ }}",
    "{{ member.name|safe }}",
    "{{ member.name|attr('x') }}",
    "{{ member.name|format(10) }}",
    "{{ member.name|truncate('many') }}",
    "{{ member.name|truncate(member.points) }}",
    "{{ member.name|upper(1, 2) }}",
    "{{ member.name|truncate(width=3) }}",
    "{{ member.name|truncate(*member.tags) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 10 ** 1000000 }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a' ~ 'b' }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ member.name[0:3] }}",
    "{{ member[member.name] }}",
    "{{ lipsum(1000) }}",
    "{{ range(10) }}",
    "{{ cycler }}",
    "{{ self }}",
    "{{ loop }}",
    "{{ member.name is defined }}",
    "{% for a in range(1000000) %}x{% endfor %}",
    "{% for a in member.name %}x{% endfor %}",
    "{% for a in member.tags %}{% for b in member.tags %}x{% endfor %}{% endfor %}",
    "{% for a in member.tags recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in member.tags if a %}x{% endfor %}",
    "{% macro forever() %}{{ forever() }}{% endmacro %}{{ forever() }}",
    "{% set x = 1 %}{{ x }}",
    "{% import 'engine.j2' as other %}",
    "{% include 'engine.j2' %}",
    "{% extends 'engine.j2' %}",
    "{% block other %}{% endblock %}",
    "{% call member.name() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% with a = 1 %}{{ a }}{% endwith %}",
    "{% autoescape false %}{{ member.name }}{% endautoescape %}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "not " * 1900 + "1 }}",
    "{{ " + "9" * 5000 + " }}",
    "{% if 1 %}" * 150 + "x" + "{% endif %}" * 150,
    "x" * (MAX_SOURCE + 1),
]


@pytest.mark.parametrize("source", GOOD)
def test_what_operators_need_is_allowed(source: str) -> None:
    assert problems_of(OPERATOR, source) == []


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:40])
def test_everything_else_is_refused_with_a_reason(source: str) -> None:
    problems = problems_of(OPERATOR, source)
    assert problems
    assert all(problem.text and problem.line == 1 for problem in problems)


def test_a_problem_names_its_line() -> None:
    problems = problems_of(OPERATOR, "Hello\n{{ member.name }}\n{{ nobody }}\n{{ member.x|nothing }}")
    assert [problem.line for problem in problems] == [3, 4, 4]
    syntax = problems_of(OPERATOR, "Hello\n\n{% if %}")
    assert [problem.line for problem in syntax] == [3]


def test_a_problem_says_what_may_be_used_instead() -> None:
    (problem,) = problems_of(OPERATOR, "{{ member.nmae }}")
    assert "member.nmae" in problem.text
    assert "member.name" in problem.text


def test_more_variables_and_lists_can_be_known() -> None:
    known = Known(frozenset({"code", "way.text"}), frozenset({"ways"}))
    assert problems_of(OPERATOR, "{{ code }}{% for way in ways %}{{ way.text }}{% endfor %}", known) == []
    assert problems_of(OPERATOR, "{{ other }}", known)
    assert problems_of(OPERATOR, "{% for way in others %}{% endfor %}", known)
