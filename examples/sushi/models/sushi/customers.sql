/* xde
kind: table
description: Everybody who has ordered, and what marketing thinks of them now
*/
-- Number 0 is who came in without saying a name.
WITH guests AS (
    SELECT DISTINCT customer_id
    FROM raw.orders
    WHERE customer_id > 0
)

SELECT g.customer_id, m.status, d.zip
FROM guests AS g
LEFT JOIN sushi.marketing AS m ON m.customer_id = g.customer_id AND m.valid_to IS NULL
LEFT JOIN raw.demographics AS d ON d.customer_id = g.customer_id
