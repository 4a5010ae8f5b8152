-- an inner join
SELECT o.id, c.name FROM shop.orders AS o JOIN shop.customers AS c ON o.customer_id = c.id;
--> id <= orders.id
--> name <= customers.name
--> rows <- customers.id, orders.customer_id

-- a left join, a right one, a full one
SELECT o.id, c.name, p.method FROM shop.orders AS o LEFT JOIN shop.customers AS c ON o.customer_id = c.id FULL JOIN shop.payments AS p ON p.order_id = o.id;
--> id <- orders.id
--> name <- customers.name
--> method <- payments.method
--> rows <- customers.id, orders.customer_id, orders.id, payments.order_id

-- without aliases
SELECT orders.id, customers.name, shop.customers.city FROM shop.orders JOIN shop.customers ON orders.customer_id = customers.id;
--> id <= orders.id
--> name <= customers.name
--> city <= customers.city
--> rows <- customers.id, orders.customer_id

-- a column that only one has
SELECT method, status FROM shop.orders, shop.payments WHERE order_id = orders.id;
--> method <= payments.method
--> status <= orders.status
--> rows <- orders.id, payments.order_id

-- a table with itself
SELECT a.id AS low, b.id AS high FROM shop.orders AS a JOIN shop.orders AS b ON a.customer_id = b.customer_id AND a.id < b.id;
--> low <= orders.id
--> high <= orders.id
--> rows <- orders.customer_id, orders.id

-- USING, left
SELECT id, c.name, o.amount FROM shop.orders AS o LEFT JOIN shop.customers AS c USING (id);
--> id <= orders.id
--> name <- customers.name
--> amount <= orders.amount
--> rows <- customers.id, orders.id

-- USING, all columns
SELECT * FROM shop.customers JOIN shop.notes USING (id);
--> id <= customers.id
--> name <= customers.name
--> city <= customers.city
--> body <= notes.body
--> rows <- customers.id, notes.id

-- USING, right
SELECT id, name, body FROM shop.customers RIGHT JOIN shop.notes USING (id);
--> id <- customers.id, notes.id
--> name <- customers.name
--> body <= notes.body
--> rows <- customers.id, notes.id

-- USING, full, all columns
SELECT * FROM shop.customers FULL JOIN shop.notes USING (id);
--> id <- customers.id, notes.id
--> name <- customers.name
--> city <- customers.city
--> body <- notes.body
--> rows <- customers.id, notes.id

-- USING, three tables
SELECT id, name, body, status FROM shop.customers JOIN shop.notes USING (id) LEFT JOIN shop.orders USING (id);
--> id <= customers.id
--> name <= customers.name
--> body <= notes.body
--> status <- orders.status
--> rows <- customers.id, notes.id, orders.id

-- natural
SELECT * FROM shop.customers NATURAL JOIN shop.notes;
--> id <= customers.id
--> name <= customers.name
--> city <= customers.city
--> body <= notes.body
--> rows <- customers.id, notes.id

-- each with each
SELECT c.name, n.body FROM shop.customers AS c CROSS JOIN shop.notes AS n;
--> name <= customers.name
--> body <= notes.body
--> rows <- nothing

-- only with, only without
SELECT o.id, o.amount FROM shop.orders AS o SEMI JOIN shop.payments AS p ON p.order_id = o.id AND p.method = 'card';
--> id <= orders.id
--> amount <= orders.amount
--> rows <- orders.id, payments.method, payments.order_id

-- without
SELECT * FROM shop.customers ANTI JOIN shop.notes USING (id);
--> id <= customers.id
--> name <= customers.name
--> city <= customers.city
--> rows <- customers.id, notes.id

-- as of
SELECT o.id, r.rate FROM shop.orders AS o ASOF JOIN shop.rates AS r ON o.status = r.currency AND o.placed >= r.day;
--> id <= orders.id
--> rate <= rates.rate
--> rows <- orders.placed, orders.status, rates.currency, rates.day

-- as of, USING
SELECT * FROM shop.payments ASOF LEFT JOIN shop.rates USING (day);
--> order_id <= payments.order_id
--> method <= payments.method
--> amount <= payments.amount
--> day <= payments.day
--> currency <- rates.currency
--> rate <- rates.rate
--> rows <- payments.day, rates.day

-- by position
SELECT c.name, n.body FROM shop.customers AS c POSITIONAL JOIN shop.notes AS n;
--> name <- customers.name
--> body <- notes.body
--> rows <- nothing

-- lateral
SELECT o.id, t.half FROM shop.orders AS o, LATERAL (SELECT o.amount / 2 AS half) AS t;
--> id <= orders.id
--> half <- orders.amount
--> rows <- nothing

-- lateral without the word
SELECT o.id, t.n FROM shop.orders AS o, (SELECT count(*) AS n FROM shop.payments AS p WHERE p.order_id = o.id) AS t;
--> id <= orders.id
--> n <- nothing
--> rows <- orders.id, payments.order_id

-- unnest in FROM
SELECT o.id, t.tag FROM shop.orders AS o, unnest(o.tags) AS t(tag);
--> id <= orders.id
--> tag <- orders.tags
--> rows <- orders.tags

-- unnest with an alias alone
SELECT id, tag FROM shop.orders, unnest(tags) AS tag;
--> id <= orders.id
--> tag <- orders.tags
--> rows <- orders.tags

-- numbers
SELECT o.id, g.n FROM shop.orders AS o, range(1, 3) AS g(n);
--> id <= orders.id
--> n <- nothing
--> rows <- nothing

-- series
SELECT generate_series AS n FROM generate_series(1, 4);
--> n <- nothing
--> rows <- nothing

-- a join in parentheses
SELECT c.name, o.id, n.body FROM shop.customers AS c LEFT JOIN (shop.orders AS o JOIN shop.notes AS n ON n.id = o.id) ON o.customer_id = c.id;
--> name <= customers.name
--> id <- orders.id
--> body <- notes.body
--> rows <- customers.id, notes.id, orders.customer_id, orders.id

-- a join in parentheses with a name
SELECT j.name, j.body FROM (shop.customers JOIN shop.notes USING (id)) AS j;
--> name <= customers.name
--> body <= notes.body
--> rows <- customers.id, notes.id

-- column aliases of a table
SELECT x.a, x.b, x.city FROM shop.customers AS x(a, b);
--> a <= customers.id
--> b <= customers.name
--> city <= customers.city
--> rows <- nothing

-- a scalar subquery
SELECT c.id, (SELECT max(o.amount) FROM shop.orders AS o WHERE o.customer_id = c.id) AS most FROM shop.customers AS c;
--> id <= customers.id
--> most <- customers.id, orders.amount, orders.customer_id
--> rows <- nothing

-- in a subquery
SELECT id FROM shop.customers WHERE id IN (SELECT customer_id FROM shop.orders WHERE status = 'paid');
--> id <= customers.id
--> rows <- customers.id, orders.customer_id, orders.status

-- exists
SELECT c.id FROM shop.customers AS c WHERE EXISTS (SELECT * FROM shop.orders AS o WHERE o.customer_id = c.id AND o.amount > 50);
--> id <= customers.id
--> rows <- customers.id, orders.amount, orders.customer_id

-- any
SELECT id FROM shop.orders WHERE amount >= ALL (SELECT amount FROM shop.payments WHERE order_id = orders.id);
--> id <= orders.id
--> rows <- orders.amount, orders.id, payments.amount, payments.order_id

-- a subquery two deep
SELECT c.id, (SELECT count(*) FROM shop.orders AS o WHERE EXISTS (SELECT 1 FROM shop.payments AS p WHERE p.order_id = o.id AND p.order_id > c.id)) AS n
FROM shop.customers AS c;
--> id <= customers.id
--> n <- customers.id, orders.id, payments.order_id
--> rows <- nothing

-- an array of a subquery
SELECT c.id, ARRAY(SELECT o.amount FROM shop.orders AS o WHERE o.customer_id = c.id ORDER BY o.id) AS amounts FROM shop.customers AS c;
--> id <= customers.id
--> amounts <- customers.id, orders.amount, orders.customer_id, orders.id
--> rows <- nothing
