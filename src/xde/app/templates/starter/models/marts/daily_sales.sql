/* xde
kind: table
description: Sales of each day
*/
SELECT
    o.order_date,
    count(*) AS orders,
    CAST(sum(o.quantity) AS BIGINT) AS pieces,
    count(*) FILTER (WHERE o.quantity >= $large_order) AS large_orders,
    CAST(sum(o.revenue) AS DECIMAL(18, 2)) AS revenue
FROM staging.orders AS o
GROUP BY o.order_date
