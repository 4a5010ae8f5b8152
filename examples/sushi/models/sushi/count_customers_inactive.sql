/* xde
kind: table
description: How many customers marketing calls inactive
*/
SELECT count(*) AS count_customers
FROM sushi.customers
WHERE status = 'inactive'
