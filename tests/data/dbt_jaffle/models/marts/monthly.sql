select
    cast({{ dbt.date_trunc('month', 'order_date') }} as date) as month,
    {{ dbt.dateadd('month', 1, dbt.date_trunc('month', 'order_date')) }} as next_month,
    count(*) as orders,
    sum(amount) as amount
from {{ ref('paid_orders') }}
group by 1, 2
