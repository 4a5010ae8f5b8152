{# Cents as they are counted become dollars as they are shown. #}
{% macro cents_to_dollars(column_name, scale=2) -%}
    cast({{ column_name }} / 100 as decimal(12, {{ scale }}))
{%- endmacro %}

{% macro sum_of(method) %}
    sum(case when payment_method = '{{ method }}' then amount else 0 end) as {{ method }}_amount
{%- endmacro %}
