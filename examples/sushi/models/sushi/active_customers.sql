/* xde
kind: table
description: The customers whom marketing calls active
*/
SELECT customer_id, zip
FROM sushi.customers
WHERE status = 'active'
