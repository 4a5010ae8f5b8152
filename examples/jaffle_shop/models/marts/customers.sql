/* xde
kind: table
description: Customers with their first and last order and all that they paid
*/
WITH ordered AS (
    SELECT
        customer_id,
        min(order_date) AS first_order,
        max(order_date) AS most_recent_order,
        count(*) AS number_of_orders
    FROM staging.orders
    GROUP BY customer_id
),

paid AS (
    SELECT
        o.customer_id,
        sum(p.amount) AS total_amount
    FROM staging.payments AS p
    JOIN staging.orders AS o USING (order_id)
    GROUP BY o.customer_id
)

SELECT
    c.customer_id,
    c.first_name,
    c.last_name,
    o.first_order,
    o.most_recent_order,
    coalesce(o.number_of_orders, 0) AS number_of_orders,
    CAST(coalesce(p.total_amount, 0) AS DECIMAL(18, 2)) AS customer_lifetime_value
FROM staging.customers AS c
LEFT JOIN ordered AS o USING (customer_id)
LEFT JOIN paid AS p USING (customer_id)
