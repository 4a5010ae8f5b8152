/* xde
kind: table
description: Customers with their first and last order and all that they paid, out of the vault
tags: [marts]
*/
WITH paid AS (
    SELECT order_key, sum(amount) AS amount
    FROM vault.sat_order_payment
    GROUP BY order_key
),

ordered AS (
    SELECT
        l.customer_key,
        min(o.order_date) AS first_order,
        max(o.order_date) AS most_recent_order,
        count(*) AS number_of_orders,
        sum(p.amount) AS amount
    FROM vault.link_order_customer AS l
    JOIN vault.sat_order AS o ON o.order_key = l.order_key
    LEFT JOIN paid AS p ON p.order_key = l.order_key
    GROUP BY l.customer_key
)

SELECT
    h.customer_id,
    s.first_name,
    s.last_name,
    o.first_order,
    o.most_recent_order,
    coalesce(o.number_of_orders, 0) AS number_of_orders,
    CAST(coalesce(o.amount, 0) AS DECIMAL(18, 2)) AS customer_lifetime_value
FROM vault.hub_customer AS h
LEFT JOIN vault.sat_customer AS s ON s.customer_key = h.customer_key
LEFT JOIN ordered AS o ON o.customer_key = h.customer_key
