{# What models read of a snapshot is told by dbt's own columns. #}
select
    id,
    status,
    dbt_scd_id,
    dbt_valid_from,
    dbt_valid_to is null as is_open
from {{ ref('orders_by_day') }}
