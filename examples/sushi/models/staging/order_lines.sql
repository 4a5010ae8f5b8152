/* xde
kind: ephemeral
description: What was eaten, at the price of its day
tags: [staging]
*/
SELECT
    l.event_date,
    l.order_id,
    l.item_id,
    CAST(l.quantity * i.price AS DECIMAL(12, 2)) AS amount
FROM raw.order_items AS l
LEFT JOIN raw.items AS i ON i.id = l.item_id AND i.event_date = l.event_date
