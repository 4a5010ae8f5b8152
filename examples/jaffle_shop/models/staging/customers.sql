/* xde
kind: view
description: Customers under the names that the shop uses
*/
SELECT
    id AS customer_id,
    first_name,
    last_name
FROM raw.customers
