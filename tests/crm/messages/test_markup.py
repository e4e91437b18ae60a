import pytest

from crm.messages.markup import escape_stray, tag_problems, to_plain, visible


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ("3 < 5 & 7", "3 &lt; 5 &amp; 7"),
        ("<b>bold</b> <script>x</script>", "<b>bold</b> &lt;script>x&lt;/script>"),
        ("&lt; &amp; &#39; &nbsp;", "&lt; &amp; &#39; &amp;nbsp;"),
        ("{{ 1 < 2 and member.name }} < 3", "{{ 1 < 2 and member.name }} &lt; 3"),
        ('<b onclick="x">', '&lt;b onclick="x">'),
        ('<a href="https://example.org">here</a>', '<a href="https://example.org">here</a>'),
        ('<a href="https://example.org" onclick="x">', '&lt;a href="https://example.org" onclick="x">'),
    ],
)
def test_signs_that_open_nothing_are_escaped(source: str, stored: str) -> None:
    assert escape_stray(source) == stored
    assert escape_stray(stored) == stored


@pytest.mark.parametrize(
    "source",
    [
        "<b>open",
        "open</b>",
        "<b><i>x</b></i>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="//example.org">x</a>',
        '<a href="data:text/html,x">x</a>',
        "<a>x</a>",
        '<a href="">x</a>',
    ],
)
def test_broken_tags_and_bad_links_are_problems(source: str) -> None:
    assert tag_problems(source)


def test_good_tags_are_no_problem_and_lines_are_counted() -> None:
    assert tag_problems('<b>{{ "<i>" }}</b> <a href="https://example.org/?a={{ member.points }}">x</a>') == []
    assert [problem.line for problem in tag_problems("{% if x %}\n\n{% endif %}<b>\n</i></b>")] == [4]


def test_plain_text_keeps_addresses_and_signs() -> None:
    assert to_plain("<b>A &amp; B</b> &lt;3") == "A & B <3"
    assert to_plain('<a href="https://example.org">here</a>') == "here (https://example.org)"
    assert visible('<a href="https://example.org">here</a> &lt;3') == "here <3"
