-- a CTE
WITH paid AS (SELECT id, amount FROM shop.orders WHERE status = 'paid') SELECT id, amount + 1 AS more FROM paid;
--> id <= orders.id
--> more <- orders.amount
--> rows <- orders.status

-- CTEs over CTEs
WITH a AS (SELECT customer_id, sum(amount) AS total FROM shop.orders GROUP BY 1), b AS (SELECT customer_id, total FROM a WHERE total > 5)
SELECT c.name, b.total FROM b JOIN shop.customers AS c ON c.id = b.customer_id;
--> name <= customers.name
--> total <- orders.amount
--> rows <- customers.id, orders.amount, orders.customer_id

-- a CTE with column names
WITH t(k, v) AS (SELECT id, amount FROM shop.orders) SELECT v, k FROM t;
--> v <= orders.amount
--> k <= orders.id
--> rows <- nothing

-- a CTE with the name of a dataset
WITH orders AS (SELECT id, amount AS price FROM shop.orders) SELECT o.price, d.status FROM orders AS o JOIN shop.orders AS d ON d.id = o.id;
--> price <= orders.amount
--> status <= orders.status
--> rows <- orders.id

-- a CTE inside that hides one outside
WITH t AS (SELECT id FROM shop.orders) SELECT t.id, (WITH t AS (SELECT max(id) AS top FROM shop.customers) SELECT top FROM t) AS top FROM t;
--> id <= orders.id
--> top <- customers.id
--> rows <- nothing

-- a recursive CTE
WITH RECURSIVE r AS (SELECT id, amount FROM shop.orders WHERE id = 1 UNION ALL SELECT id + 1, amount FROM r WHERE id < 4) SELECT id, amount FROM r;
--> id <- orders.amount, orders.id
--> amount <- orders.amount, orders.id
--> rows <- orders.amount, orders.id

-- recursive by name only
WITH RECURSIVE r AS (SELECT id, amount FROM shop.orders UNION ALL SELECT id, id FROM shop.customers) SELECT amount FROM r;
--> amount <- customers.id, orders.amount
--> rows <- nothing

-- a subquery
SELECT s.total / s.n AS mean FROM (SELECT sum(amount) AS total, count(*) AS n FROM shop.orders) AS s;
--> mean <- orders.amount
--> rows <- nothing

-- a union by position
SELECT id, name FROM shop.customers UNION ALL SELECT order_id, method FROM shop.payments;
--> id <- customers.id, payments.order_id
--> name <- customers.name, payments.method
--> rows <- nothing

-- a union of distinct rows
SELECT city FROM shop.customers UNION SELECT status FROM shop.orders;
--> city <- customers.city, orders.status
--> rows <- customers.city, orders.status

-- a union by name
SELECT id, amount FROM shop.orders UNION ALL BY NAME SELECT amount, order_id AS id, method FROM shop.payments;
--> id <- orders.id, payments.order_id
--> amount <- orders.amount, payments.amount
--> method <- payments.method
--> rows <- nothing

-- a distinct union by name
SELECT id, city AS place FROM shop.customers UNION BY NAME SELECT upper(status) AS place, id FROM shop.orders;
--> id <- customers.id, orders.id
--> place <- customers.city, orders.status
--> rows <- customers.city, customers.id, orders.id, orders.status

-- what is in both, what is not
SELECT id FROM shop.customers INTERSECT SELECT customer_id FROM shop.orders WHERE amount > 3;
--> id <- customers.id, orders.customer_id
--> rows <- customers.id, orders.amount, orders.customer_id

-- what is not
SELECT id, name FROM shop.customers EXCEPT SELECT order_id, method FROM shop.payments;
--> id <- customers.id, payments.order_id
--> name <- customers.name, payments.method
--> rows <- customers.id, customers.name, payments.method, payments.order_id

-- a union with an order and a limit
SELECT id AS n FROM shop.orders UNION ALL SELECT order_id FROM shop.payments ORDER BY n LIMIT 3;
--> n <- orders.id, payments.order_id
--> rows <- orders.id, payments.order_id

-- a union in a CTE
WITH u AS (SELECT id, 'c' AS kind FROM shop.customers UNION ALL SELECT id, 'o' FROM shop.orders) SELECT kind, count(*) AS n FROM u GROUP BY kind;
--> kind <- nothing
--> n <- nothing
--> rows <- nothing

-- stars through CTEs
WITH a AS (SELECT * FROM shop.customers), b AS (SELECT a.*, name || city AS label FROM a) SELECT * FROM b;
--> id <= customers.id
--> name <= customers.name
--> city <= customers.city
--> label <- customers.city, customers.name
--> rows <- nothing

-- stars of a join
SELECT o.*, c.name FROM shop.payments AS o JOIN shop.customers AS c ON c.id = o.order_id;
--> order_id <= payments.order_id
--> method <= payments.method
--> amount <= payments.amount
--> day <= payments.day
--> name <= customers.name
--> rows <- customers.id, payments.order_id

-- columns of one name in a subquery
SELECT id, id_1, body FROM (SELECT * FROM shop.customers AS c JOIN shop.notes AS n ON n.id = c.id);
--> id <= customers.id
--> id_1 <= notes.id
--> body <= notes.body
--> rows <- customers.id, notes.id

-- left out, replaced, renamed
SELECT * EXCLUDE (tags, address, note) REPLACE (amount * 2 AS amount) RENAME (status AS state) FROM shop.orders;
--> id <= orders.id
--> customer_id <= orders.customer_id
--> amount <- orders.amount
--> state <= orders.status
--> placed <= orders.placed
--> shipped <= orders.shipped
--> rows <- nothing

-- of one table
SELECT c.* EXCLUDE (city), n.* RENAME (id AS note_id) FROM shop.customers AS c JOIN shop.notes AS n ON n.id = c.id;
--> id <= customers.id
--> name <= customers.name
--> note_id <= notes.id
--> body <= notes.body
--> rows <- customers.id, notes.id

-- stars by name
SELECT * LIKE '%d' FROM shop.orders;
--> id <= orders.id
--> customer_id <= orders.customer_id
--> placed <= orders.placed
--> shipped <= orders.shipped
--> rows <- nothing

-- columns by a regular expression
SELECT COLUMNS('^(id|amount)$') FROM shop.orders;
--> id <= orders.id
--> amount <= orders.amount
--> rows <- nothing

-- an expression over columns
SELECT id, COLUMNS('(amount|customer_id)')::VARCHAR || status FROM shop.orders;
--> id <= orders.id
--> customer_id <- orders.customer_id, orders.status
--> amount <- orders.amount, orders.status
--> rows <- nothing

-- columns with new names
SELECT COLUMNS('(am|st)(.*)') AS '\2_\1' FROM shop.orders;
--> omer_id_st <= orders.customer_id
--> ount_am <= orders.amount
--> atus_st <= orders.status
--> rows <- nothing

-- columns by list and star
SELECT COLUMNS(['id', 'amount']), max(COLUMNS(* EXCLUDE (tags, address, note))) OVER () FROM shop.orders;
--> id <= orders.id
--> amount <= orders.amount
--> id <- orders.id
--> customer_id <- orders.customer_id
--> amount <- orders.amount
--> status <- orders.status
--> placed <- orders.placed
--> shipped <- orders.shipped
--> rows <- nothing

-- columns as arguments
SELECT coalesce(*COLUMNS('amount|^id')) AS some FROM shop.orders;
--> some <- orders.amount, orders.id
--> rows <- nothing

-- columns in a filter
SELECT day FROM shop.payments WHERE COLUMNS('amount|order_id') > 2;
--> day <= payments.day
--> rows <- payments.amount, payments.order_id

-- a pivot with its values
SELECT * FROM (SELECT customer_id, status, amount FROM shop.orders) PIVOT (sum(amount) FOR status IN ('paid', 'open'));
--> customer_id <= orders.customer_id
--> paid <- orders.amount, orders.status
--> open <- orders.amount, orders.status
--> rows <- orders.customer_id

-- a pivot with several aggregates and names
SELECT * FROM shop.payments PIVOT (sum(amount) AS total, count(*) AS n FOR method IN ('card' AS card, 'cash') GROUP BY order_id);
--> order_id <= payments.order_id
--> card_total <- payments.amount, payments.method
--> card_n <- payments.method
--> cash_total <- payments.amount, payments.method
--> cash_n <- payments.method
--> rows <- payments.order_id

-- a pivot as a statement
PIVOT shop.payments ON method IN ('card', 'cash') USING sum(amount) GROUP BY order_id;
--> order_id <= payments.order_id
--> card <- payments.amount, payments.method
--> cash <- payments.amount, payments.method
--> rows <- payments.order_id

-- a pivot as a statement, several aggregates, in a CTE
WITH p AS (PIVOT shop.payments ON method IN ('card', 'cash') USING sum(amount) AS s, max(day) AS d GROUP BY order_id)
SELECT order_id, card_s, cash_d FROM p;
--> order_id <= payments.order_id
--> card_s <- payments.amount, payments.method
--> cash_d <- payments.day, payments.method
--> rows <- payments.order_id

-- an unpivot
SELECT * FROM (SELECT id, amount, customer_id FROM shop.orders) UNPIVOT (v FOR k IN (amount, customer_id));
--> id <= orders.id
--> k <- orders.amount, orders.customer_id
--> v <- orders.amount, orders.customer_id
--> rows <- orders.amount, orders.customer_id

-- an unpivot as a statement
UNPIVOT (SELECT id, amount, customer_id FROM shop.orders) ON amount, customer_id INTO NAME k VALUE v;
--> id <= orders.id
--> k <- orders.amount, orders.customer_id
--> v <- orders.amount, orders.customer_id
--> rows <- orders.amount, orders.customer_id

-- an unpivot of chosen columns
UNPIVOT (SELECT id, amount, customer_id FROM shop.orders) ON COLUMNS(* EXCLUDE (id)) INTO NAME k VALUE v;
--> id <= orders.id
--> k <- orders.amount, orders.customer_id
--> v <- orders.amount, orders.customer_id
--> rows <- orders.amount, orders.customer_id

-- FROM first over a subquery
FROM (FROM shop.orders SELECT id, amount WHERE amount > 2) SELECT sum(amount) AS total;
--> total <- orders.amount
--> rows <- orders.amount

-- a window, then a filter
WITH w AS (SELECT id, amount, row_number() OVER (ORDER BY amount, id) AS n, status FROM shop.orders) SELECT id, n FROM w WHERE status = 'paid';
--> id <= orders.id
--> n <- orders.amount, orders.id
--> rows <- orders.status

-- a struct unpacked, whose names only the engine knows
SELECT id, address.* FROM shop.orders;
--> id <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> city <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> zip <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> rows <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags

-- deep nesting
SELECT z FROM (SELECT y + 1 AS z, y FROM (SELECT x * 2 AS y FROM (SELECT amount AS x FROM shop.orders WHERE id > 1) WHERE x > 2) WHERE y < 100);
--> z <- orders.amount
--> rows <- orders.amount, orders.id
