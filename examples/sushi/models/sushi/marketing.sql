/* xde
kind: view
description: What marketing thinks of each customer, and thought before
*/
-- What is told first of a customer is taken to have held always.
SELECT
    customer_id,
    status,
    updated_at,
    CASE
        WHEN valid_from = min(valid_from) OVER (PARTITION BY customer_id) THEN TIMESTAMP '1970-01-01 00:00:00'
        ELSE valid_from
    END AS valid_from,
    valid_to
FROM staging.marketing_periods
