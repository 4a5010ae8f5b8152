-- what an order is worth is what was paid for it
select o.order_id
from {{ ref('orders') }} as o
left join (
    select order_id, sum(amount) as paid from {{ ref('stg_payments') }} group by order_id
) as p on p.order_id = o.order_id
where o.amount <> coalesce(p.paid, 0)
