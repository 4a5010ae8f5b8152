"""Blocks of dbt's own, cut out of files: their lines stay, and what looks like one within a comment is none."""

from xde.undercurrents.engineering.dbt.blocks import blocks

TEXT = """{# {% macro no() %}{% endmacro %} #}
{% macro one(a) -%}
  {{ a }}
{%- endmacro %}

{%- test two(model) -%}select 1{%- endtest -%}
{% raw %}{% macro raw() %}{% endraw %}
{% snapshot three %}
{{ config(x=1) }}
select 2
{% endsnapshot %}
{% docs four %}
text
{% enddocs %}
{% macro open() %} never closed
"""


def test_the_outermost_blocks_with_their_lines():
    found = list(blocks(TEXT))
    assert [(b.kind, b.name, b.line, b.macro) for b in found] == [
        ("macro", "one", 2, "one"),
        ("test", "two", 6, "test_two"),
        ("snapshot", "three", 8, "three"),
        ("docs", "four", 12, "four"),
        ("macro", "open", 15, "open"),
    ]
    assert found[1].template == "\n" * 5 + "{%- macro test_two(model) -%}select 1{%- endmacro -%}"
    assert (found[2].body, found[2].body_line) == ("\n{{ config(x=1) }}\nselect 2\n", 8)
