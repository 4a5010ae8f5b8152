/* xde
kind: table
description: Orders with what was paid for them, by method
*/
WITH paid AS (
    SELECT
        order_id,
        sum(amount) FILTER (WHERE payment_method = 'credit_card') AS credit_card_amount,
        sum(amount) FILTER (WHERE payment_method = 'coupon') AS coupon_amount,
        sum(amount) FILTER (WHERE payment_method = 'bank_transfer') AS bank_transfer_amount,
        sum(amount) FILTER (WHERE payment_method = 'gift_card') AS gift_card_amount,
        sum(amount) AS amount
    FROM staging.payments
    GROUP BY order_id
)

SELECT
    o.order_id,
    o.customer_id,
    o.order_date,
    o.status,
    CAST(coalesce(p.credit_card_amount, 0) AS DECIMAL(18, 2)) AS credit_card_amount,
    CAST(coalesce(p.coupon_amount, 0) AS DECIMAL(18, 2)) AS coupon_amount,
    CAST(coalesce(p.bank_transfer_amount, 0) AS DECIMAL(18, 2)) AS bank_transfer_amount,
    CAST(coalesce(p.gift_card_amount, 0) AS DECIMAL(18, 2)) AS gift_card_amount,
    CAST(coalesce(p.amount, 0) AS DECIMAL(18, 2)) AS amount
FROM staging.orders AS o
LEFT JOIN paid AS p USING (order_id)
