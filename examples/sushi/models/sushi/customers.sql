/* xde
kind: table
description: Everybody who has ordered, and what marketing thinks of them now
*/
-- Number 0 is who came in without saying a name.
WITH guests AS (
    SELECT DISTINCT customer_id
    FROM raw.orders
    WHERE customer_id > 0
),

opinions AS (
    SELECT customer_id, status
    FROM sushi.marketing
    WHERE valid_to IS NULL
),

judged AS (
    SELECT customer_id, status
    FROM lookup(guests, opinions, key := customer_id, columns := status)
)

SELECT customer_id, status, zip
FROM lookup(judged, raw.demographics, key := customer_id, columns := zip)
