/* xde
kind: table
description: Orders with what they brought
*/
SELECT
    o.order_id,
    CAST(o.ordered_at AS DATE) AS order_date,
    o.product,
    o.quantity,
    CAST(o.quantity * o.unit_price AS DECIMAL(18, 2)) AS revenue
FROM shop.orders AS o
