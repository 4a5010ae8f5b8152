-- a sum by a key
SELECT customer_id, sum(amount) AS total FROM shop.orders GROUP BY customer_id;
--> customer_id <= orders.customer_id
--> total <- orders.amount
--> rows <- orders.customer_id

-- by position
SELECT customer_id, status, count(*) AS n FROM shop.orders GROUP BY 1, 2;
--> customer_id <= orders.customer_id
--> status <= orders.status
--> n <- nothing
--> rows <- orders.customer_id, orders.status

-- by everything that is no aggregate
SELECT customer_id, date_trunc('month', placed) AS month, sum(amount) AS total, count(*) AS n FROM shop.orders GROUP BY ALL;
--> customer_id <= orders.customer_id
--> month <- orders.placed
--> total <- orders.amount
--> n <- nothing
--> rows <- orders.customer_id, orders.placed

-- by an alias
SELECT upper(status) AS s, max(amount) AS most FROM shop.orders GROUP BY s;
--> s <- orders.status
--> most <- orders.amount
--> rows <- orders.status

-- by nothing
SELECT sum(amount) AS total, count(*) AS n FROM shop.orders WHERE status = 'paid';
--> total <- orders.amount
--> n <- nothing
--> rows <- orders.status

-- groups that are kept
SELECT customer_id, sum(amount) AS total FROM shop.orders GROUP BY customer_id HAVING total > 20 AND min(id) < 9;
--> customer_id <= orders.customer_id
--> total <- orders.amount
--> rows <- orders.amount, orders.customer_id, orders.id

-- grouping sets and rollup
SELECT customer_id, status, grouping(customer_id) AS level, sum(amount) AS total FROM shop.orders GROUP BY ROLLUP (customer_id, status);
--> customer_id <- orders.customer_id
--> status <- orders.status
--> level <- orders.customer_id
--> total <- orders.amount
--> rows <- orders.customer_id, orders.status

-- grouping sets by hand
SELECT customer_id, status, count(*) AS n FROM shop.orders GROUP BY GROUPING SETS ((customer_id), (status), ());
--> customer_id <- orders.customer_id
--> status <- orders.status
--> n <- nothing
--> rows <- orders.customer_id, orders.status

-- filtered and ordered aggregates
SELECT customer_id, count(*) FILTER (WHERE amount > 5) AS many, list(id ORDER BY placed, id) AS ids, string_agg(status, ',' ORDER BY id) AS states,
  count(DISTINCT status) AS kinds FROM shop.orders GROUP BY ALL;
--> customer_id <= orders.customer_id
--> many <- orders.amount
--> ids <- orders.id, orders.placed
--> states <- orders.id, orders.status
--> kinds <- orders.status
--> rows <- orders.customer_id

-- the value at the greatest other
SELECT customer_id, arg_max(status, amount) AS last, quantile_cont(amount, 0.5) AS middle, mad(amount) AS spread FROM shop.orders GROUP BY customer_id;
--> customer_id <= orders.customer_id
--> last <- orders.amount, orders.status
--> middle <- orders.amount
--> spread <- orders.amount
--> rows <- orders.customer_id

-- a window
SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY placed, id) AS nth, lag(amount) OVER (ORDER BY id, amount) AS before FROM shop.orders;
--> id <= orders.id
--> nth <- orders.customer_id, orders.id, orders.placed
--> before <- orders.amount, orders.id
--> rows <- nothing

-- named windows
SELECT id, sum(amount) OVER w AS running, avg(amount) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS near
FROM shop.orders WINDOW w AS (PARTITION BY customer_id ORDER BY id);
--> id <= orders.id
--> running <- orders.amount, orders.customer_id, orders.id
--> near <- orders.amount, orders.customer_id, orders.id
--> rows <- nothing

-- rows chosen by a window
SELECT id, amount FROM shop.orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY placed DESC, id) = 1;
--> id <= orders.id
--> amount <= orders.amount
--> rows <- orders.customer_id, orders.id, orders.placed

-- rows chosen by an alias of a window
SELECT id, rank() OVER (ORDER BY amount) AS place FROM shop.orders QUALIFY place <= 3;
--> id <= orders.id
--> place <- orders.amount
--> rows <- orders.amount

-- a window over groups
SELECT customer_id, sum(amount) AS total, rank() OVER (ORDER BY sum(amount) DESC, customer_id) AS place FROM shop.orders GROUP BY customer_id;
--> customer_id <= orders.customer_id
--> total <- orders.amount
--> place <- orders.amount, orders.customer_id
--> rows <- orders.customer_id

-- the sum of sums
SELECT status, sum(sum(amount)) OVER (ORDER BY status) AS running FROM shop.orders GROUP BY status;
--> status <= orders.status
--> running <- orders.amount, orders.status
--> rows <- orders.status

-- having without groups
SELECT max(amount) AS most FROM shop.orders HAVING count(*) > 3;
--> most <- orders.amount
--> rows <- nothing

-- an aggregate over an aggregate of a subquery
SELECT max(total) AS best FROM (SELECT customer_id, sum(amount) AS total FROM shop.orders GROUP BY customer_id);
--> best <- orders.amount
--> rows <- orders.customer_id

-- each of the columns summed
SELECT status, sum(COLUMNS('amount|id$')) FROM shop.orders GROUP BY status;
--> status <= orders.status
--> id <- orders.id
--> customer_id <- orders.customer_id
--> amount <- orders.amount
--> rows <- orders.status

-- the frequency of each
SELECT histogram(status) AS h, entropy(amount) AS e FROM shop.orders;
--> h <- orders.status
--> e <- orders.amount
--> rows <- nothing

-- order inside does matter to what collects
SELECT list(id) AS ids FROM (SELECT id FROM shop.orders ORDER BY amount, id);
--> ids <- orders.id
--> rows <- orders.amount, orders.id

-- ordered by everything, limited
SELECT status, customer_id FROM shop.orders ORDER BY ALL LIMIT 4;
--> status <= orders.status
--> customer_id <= orders.customer_id
--> rows <- orders.customer_id, orders.status
