/* xde
kind: history
key: customer_id
updated: updated_at
description: What marketing thought of each customer, and since when
tags: [staging]
*/
SELECT customer_id, status, updated_at
FROM raw.marketing
