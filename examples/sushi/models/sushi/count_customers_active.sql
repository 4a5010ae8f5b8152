/* xde
kind: table
description: How many customers marketing calls active
*/
SELECT count(*) AS count_customers
FROM sushi.customers
WHERE status = 'active'
