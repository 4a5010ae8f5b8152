/* xde
kind: incremental
time: event_date
description: What each customer spent on a day
*/
SELECT
    o.customer_id,
    CAST(sum(l.amount) AS DECIMAL(12, 2)) AS revenue,
    0 AS "country code",
    o.event_date
FROM raw.orders AS o
LEFT JOIN staging.order_lines AS l ON l.order_id = o.id AND l.event_date = o.event_date
GROUP BY o.customer_id, o.event_date
