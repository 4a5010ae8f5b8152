/* xde
kind: view
description: Orders under the names that the shop uses
*/
SELECT
    id AS order_id,
    user_id AS customer_id,
    order_date,
    status
FROM raw.orders
