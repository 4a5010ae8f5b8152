-- Queries, and all the mutants that each must have: where, which fault, what for what. The tables and their promises are in `conftest.py`.

-- an inner join to what is always there, and one to what may not be
SELECT o.id, c.name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id;
--> 1:8 column: o.id -> o.customer_id AS id
--> 1:14 column: c.name -> c.city AS name
--> 1:43 join kind: JOIN -> RIGHT JOIN
--> 1:71 predicate dropped: c.id = o.customer_id -> TRUE
--> 1:76 comparison: = -> <>
--> 1:78 column: o.customer_id -> o.amount

-- a left join
SELECT c.id, o.amount FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer_id = c.id;
--> 1:1 distinct added: SELECT -> SELECT DISTINCT
--> 1:14 column: o.amount -> o.discount AS amount
--> 1:48 join kind: LEFT JOIN -> JOIN
--> 1:78 predicate dropped: o.customer_id = c.id -> TRUE
--> 1:78 column: o.customer_id -> o.amount
--> 1:92 comparison: = -> <>

-- a left join whose misses WHERE refuses
SELECT p.order_id, o.status FROM shop.payments AS p LEFT JOIN shop.orders AS o ON o.id = p.order_id WHERE o.amount > 5;
--> 1:1 distinct added: SELECT -> SELECT DISTINCT
--> 1:8 column: p.order_id -> p.amount AS order_id
--> 1:20 column: o.status -> o.note AS status
--> 1:53 join kind: LEFT JOIN -> FULL JOIN
--> 1:83 predicate dropped: o.id = p.order_id -> TRUE
--> 1:83 column: o.id -> o.customer_id
--> 1:88 comparison: = -> <>
--> 1:90 column: p.order_id -> p.amount
--> 1:107 predicate dropped: o.amount > 5 -> TRUE
--> 1:107 null let through: o.amount > 5 -> (o.amount > 5 OR o.amount IS NULL)
--> 1:107 column: o.amount -> o.discount
--> 1:116 comparison: > -> >=
--> 1:116 comparison: > -> <>
--> 1:116 comparison: > -> <
--> 1:118 boundary: 5 -> 6

-- USING, full
SELECT id, name, status FROM shop.customers FULL JOIN shop.orders USING (id);
--> 1:1 distinct added: SELECT -> SELECT DISTINCT
--> 1:12 column: name -> city AS name
--> 1:18 column: status -> note AS status
--> 1:45 join kind: FULL JOIN -> LEFT JOIN
--> 1:45 join kind: FULL JOIN -> RIGHT JOIN

-- semi and anti
SELECT c.id FROM shop.customers AS c SEMI JOIN shop.orders AS o ON o.customer_id = c.id;
--> 1:38 join kind: SEMI JOIN -> ANTI JOIN
--> 1:68 predicate dropped: o.customer_id = c.id -> TRUE
--> 1:68 column: o.customer_id -> o.amount
--> 1:82 comparison: = -> <>

-- a condition of several parts
SELECT id FROM shop.orders WHERE status = 'paid' AND (amount >= 20 OR discount < 5);
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: status = 'paid' -> TRUE
--> 1:34 and/or: status = 'paid' AND (amount >= 20 OR discount < 5) -> status = 'paid' OR (amount >= 20 OR discount < 5)
--> 1:34 column: status -> note
--> 1:41 comparison: = -> <>
--> 1:43 constant: 'paid' -> 'paid_'
--> 1:55 predicate dropped: amount >= 20 -> FALSE
--> 1:55 and/or: amount >= 20 OR discount < 5 -> amount >= 20 AND discount < 5
--> 1:55 column: amount -> discount
--> 1:62 comparison: >= -> >
--> 1:62 comparison: >= -> =
--> 1:62 comparison: >= -> <
--> 1:65 boundary: 20 -> 19
--> 1:71 predicate dropped: discount < 5 -> FALSE
--> 1:71 null let through: discount < 5 -> (discount < 5 OR discount IS NULL)
--> 1:71 column: discount -> id
--> 1:80 comparison: < -> <=
--> 1:80 comparison: < -> <>
--> 1:80 comparison: < -> >
--> 1:82 boundary: 5 -> 4

-- null where a row is required, null where it is not
SELECT id FROM shop.orders WHERE amount IS NOT NULL AND discount IS NULL;
--> 1:8 column: id -> customer_id AS id
--> 1:34 and/or: amount IS NOT NULL AND discount IS NULL -> amount IS NOT NULL OR discount IS NULL
--> 1:34 column: amount -> discount
--> 1:41 is null: IS NOT NULL -> IS NULL
--> 1:57 predicate dropped: discount IS NULL -> TRUE
--> 1:57 column: discount -> id
--> 1:66 is null: IS NULL -> IS NOT NULL

-- a moment against a constant
SELECT id FROM shop.orders WHERE placed >= DATE '2026-01-31';
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: placed >= DATE '2026-01-31' -> TRUE
--> 1:34 column: placed -> shipped
--> 1:41 comparison: >= -> >
--> 1:41 comparison: >= -> =
--> 1:41 comparison: >= -> <
--> 1:49 boundary: '2026-01-31' -> '2026-01-30'

-- a parameter
SELECT id FROM shop.orders WHERE amount > $least;
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: amount > $least -> TRUE
--> 1:34 column: amount -> discount
--> 1:41 comparison: > -> >=
--> 1:41 comparison: > -> <>
--> 1:41 comparison: > -> <

-- a truth, negated
SELECT id FROM shop.orders WHERE NOT paid;
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: NOT paid -> TRUE
--> 1:34 not removed: NOT paid -> paid

-- membership
SELECT id FROM shop.orders WHERE status IN ('paid', 'open') AND amount BETWEEN 5 AND 20 AND note LIKE 'p%';
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: status IN ('paid', 'open') -> TRUE
--> 1:34 and/or: status IN ('paid', 'open') AND amount BETWEEN 5 AND 20 A ... -> status IN ('paid', 'open') AND amount BETWEEN 5 AND 20 O ...
--> 1:34 and/or: status IN ('paid', 'open') AND amount BETWEEN 5 AND 20 -> (status IN ('paid', 'open') OR amount BETWEEN 5 AND 20)
--> 1:34 column: status -> note
--> 1:41 in: IN -> NOT IN
--> 1:45 in: 'paid', -> (nothing)
--> 1:51 in: , 'open' -> (nothing)
--> 1:65 predicate dropped: amount BETWEEN 5 AND 20 -> TRUE
--> 1:65 between: amount BETWEEN 5 AND 20 -> (amount > 5 AND amount <= 20)
--> 1:65 between: amount BETWEEN 5 AND 20 -> (amount >= 5 AND amount < 20)
--> 1:65 column: amount -> discount
--> 1:72 between: BETWEEN -> NOT BETWEEN
--> 1:93 predicate dropped: note LIKE 'p%' -> TRUE
--> 1:93 column: note -> status
--> 1:98 like: LIKE -> NOT LIKE
--> 1:98 like: LIKE -> ILIKE
--> 1:103 like: 'p%' -> '%p%'
--> 1:103 like: 'p%' -> 'p'

-- not a member
SELECT id FROM shop.orders WHERE status NOT IN ('paid', 'open');
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: status NOT IN ('paid', 'open') -> TRUE
--> 1:34 column: status -> note
--> 1:41 in: NOT IN -> IN
--> 1:49 in: 'paid', -> (nothing)
--> 1:55 in: , 'open' -> (nothing)

-- a subquery
SELECT id FROM shop.customers AS c WHERE EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_id = c.id);
--> 1:42 predicate dropped: EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_ ... -> TRUE
--> 1:42 exists: EXISTS -> NOT EXISTS
--> 1:87 predicate dropped: o.customer_id = c.id -> TRUE
--> 1:87 column: o.customer_id -> o.amount
--> 1:101 comparison: = -> <>

-- groups
SELECT customer_id, count(*) AS n, count(discount) AS d, sum(amount) AS total FROM shop.orders GROUP BY customer_id HAVING count(*) > 1;
--> 1:42 aggregate: discount -> *
--> 1:42 aggregate distinct: discount -> DISTINCT discount
--> 1:42 column: discount -> id
--> 1:58 aggregate: sum -> avg
--> 1:58 aggregate: sum -> max
--> 1:58 aggregate: sum -> min
--> 1:62 aggregate distinct: amount -> DISTINCT amount
--> 1:62 column: amount -> discount
--> 1:124 predicate dropped: count(*) > 1 -> TRUE
--> 1:133 comparison: > -> >=
--> 1:133 comparison: > -> <
--> 1:135 boundary: 1 -> 2

-- a key that is not shown
SELECT max(amount) AS most FROM shop.orders GROUP BY customer_id, status;
--> 1:1 distinct added: SELECT -> SELECT DISTINCT
--> 1:8 aggregate: max -> min
--> 1:12 column: amount -> discount
--> 1:54 group by: customer_id, -> (nothing)
--> 1:65 group by: , status -> (nothing)

-- a key that is an expression stands twice and changes twice
SELECT date_trunc('month', placed) AS month, min(id) AS first FROM shop.orders GROUP BY date_trunc('month', placed);
--> 1:19 unit: 'month' -> 'year'
--> 1:46 aggregate: min -> max
--> 1:50 column: id -> customer_id

-- counted once
SELECT count(DISTINCT status) AS n FROM shop.orders;
--> 1:14 aggregate distinct: DISTINCT status -> status
--> 1:23 column: status -> note

-- defaults
SELECT id, coalesce(discount, 0) AS discount, coalesce(amount, 7) AS amount, nullif(amount, 0) AS part FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 coalesce dropped: coalesce(discount, 0) -> discount
--> 1:21 column: discount -> id
--> 1:31 coalesce default: 0 -> 1
--> 1:56 column: amount -> discount
--> 1:78 nullif dropped: nullif(amount, 0) -> amount
--> 1:85 column: amount -> discount
--> 1:93 constant: 0 -> 1

-- CASE
SELECT id, CASE WHEN amount < 5 THEN 'small' WHEN amount < 20 THEN 'fair' ELSE 'large' END AS size FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:17 case branch dropped: WHEN amount < 5 THEN 'small' -> (nothing)
--> 1:22 column: amount -> discount
--> 1:29 comparison: < -> <=
--> 1:29 comparison: < -> <>
--> 1:29 comparison: < -> >
--> 1:31 boundary: 5 -> 4
--> 1:38 case branches swapped: 'small' WHEN amount < 20 THEN 'fair' -> 'fair' WHEN amount < 20 THEN 'small'
--> 1:38 constant: 'small' -> 'small_'
--> 1:46 case branch dropped: WHEN amount < 20 THEN 'fair' -> (nothing)
--> 1:51 column: amount -> discount
--> 1:58 comparison: < -> <=
--> 1:58 comparison: < -> <>
--> 1:58 comparison: < -> >
--> 1:60 boundary: 20 -> 19
--> 1:68 case branches swapped: 'fair' ELSE 'large' -> 'large' ELSE 'fair'
--> 1:68 constant: 'fair' -> 'fair_'
--> 1:75 else dropped: ELSE 'large' -> (nothing)
--> 1:80 constant: 'large' -> 'large_'

-- CASE of one branch
SELECT id, CASE WHEN paid THEN 1 END AS n FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 case branch dropped: CASE WHEN paid THEN 1 END -> NULL
--> 1:22 not inserted: paid -> NOT paid
--> 1:32 constant: 1 -> 2

-- arithmetic
SELECT id, amount * 2 - discount AS rest, amount // 7 AS weeks, amount % 7 AS days, amount / 100 AS share FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 column: amount -> discount
--> 1:19 arithmetic: * -> /
--> 1:21 constant: 2 -> 3
--> 1:23 arithmetic: - -> +
--> 1:25 column: discount -> id
--> 1:43 column: amount -> discount
--> 1:50 arithmetic: // -> /
--> 1:50 arithmetic: // -> %
--> 1:53 constant: 7 -> 8
--> 1:65 column: amount -> discount
--> 1:72 arithmetic: % -> //
--> 1:74 constant: 7 -> 8
--> 1:85 column: amount -> discount
--> 1:92 arithmetic: / -> *
--> 1:92 arithmetic: / -> //
--> 1:94 constant: 100 -> 101

-- texts
SELECT id, upper(status) || '-' || note AS label FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 concatenation: upper(status) || -> (nothing)
--> 1:12 function: upper -> lower
--> 1:12 function dropped: upper(status) -> status
--> 1:18 column: status -> note
--> 1:26 concatenation: || '-' -> (nothing)
--> 1:33 concatenation: || note -> (nothing)

-- windows
SELECT id, sum(amount) OVER (PARTITION BY customer_id, status ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS run FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 aggregate: sum -> avg
--> 1:12 aggregate: sum -> max
--> 1:12 aggregate: sum -> min
--> 1:16 aggregate distinct: amount -> DISTINCT amount
--> 1:16 column: amount -> discount
--> 1:43 window partition: customer_id, -> (nothing)
--> 1:43 column: customer_id -> discount
--> 1:54 window partition: , status -> (nothing)
--> 1:56 column: status -> note
--> 1:63 window order: ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT ROW -> (nothing)
--> 1:72 window order: placed -> placed DESC
--> 1:72 column: placed -> shipped
--> 1:92 window frame: 2 -> 3
--> 1:92 window frame: 2 -> 1
--> 1:108 window frame: CURRENT ROW -> UNBOUNDED FOLLOWING

-- the first of each
SELECT * FROM shop.orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY placed DESC) = 1;
--> 1:27 predicate dropped: QUALIFY row_number() OVER (PARTITION BY customer_id ORDE ... -> (nothing)
--> 1:35 function: row_number -> rank
--> 1:54 window partition: PARTITION BY customer_id -> (nothing)
--> 1:67 column: customer_id -> amount
--> 1:88 column: placed -> shipped
--> 1:95 window order: DESC -> ASC
--> 1:101 comparison: = -> <>
--> 1:103 constant: 1 -> 2

-- before and after
SELECT id, lag(amount) OVER (ORDER BY id) AS before FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 function: lag -> lead
--> 1:16 column: amount -> discount
--> 1:39 window order: id -> id DESC
--> 1:39 column: id -> customer_id

-- the most
SELECT id FROM shop.orders ORDER BY amount DESC NULLS LAST LIMIT 3;
--> 1:8 column: id -> customer_id AS id
--> 1:37 column: amount -> discount
--> 1:44 order: DESC -> ASC
--> 1:66 limit: 3 -> 4
--> 1:66 limit: 3 -> 2

-- an order that decides nothing
SELECT id FROM shop.orders ORDER BY amount DESC;
--> 1:8 column: id -> customer_id AS id

-- rows of two queries
SELECT id FROM shop.orders UNION ALL SELECT order_id FROM shop.payments;
--> 1:1 query dropped: SELECT id FROM shop.orders UNION ALL -> (nothing)
--> 1:8 column: id -> customer_id AS id
--> 1:28 set operation: UNION ALL -> UNION
--> 1:28 query dropped: UNION ALL SELECT order_id FROM shop.payments -> (nothing)
--> 1:38 distinct added: SELECT -> SELECT DISTINCT
--> 1:45 column: order_id -> amount AS order_id

-- rows of one and not of the other
SELECT id FROM shop.orders EXCEPT SELECT order_id FROM shop.payments;
--> 1:8 column: id -> customer_id AS id
--> 1:28 set operation: EXCEPT -> INTERSECT
--> 1:28 query dropped: EXCEPT SELECT order_id FROM shop.payments -> (nothing)
--> 1:42 column: order_id -> amount AS order_id

-- distinct
SELECT DISTINCT status FROM shop.orders;
--> 1:1 distinct removed: SELECT DISTINCT -> SELECT
--> 1:17 column: status -> note AS status

-- types and digits
SELECT id, CAST(amount / 3 AS DECIMAL(9, 2)) AS third, round(amount / 7, 1) AS week, (amount / 4)::DOUBLE AS d FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:17 column: amount -> discount
--> 1:24 arithmetic: / -> *
--> 1:24 arithmetic: / -> //
--> 1:26 constant: 3 -> 4
--> 1:42 cast: 2 -> 1
--> 1:62 column: amount -> discount
--> 1:69 arithmetic: / -> *
--> 1:69 arithmetic: / -> //
--> 1:71 constant: 7 -> 8
--> 1:74 digits: 1 -> 2
--> 1:74 digits: 1 -> 0
--> 1:87 column: amount -> discount
--> 1:94 arithmetic: / -> *
--> 1:94 arithmetic: / -> //
--> 1:96 constant: 4 -> 5
--> 1:100 cast: DOUBLE -> INTEGER

-- between two moments
SELECT id, date_diff('day', placed, shipped) AS days, placed + INTERVAL 3 DAY AS due FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:22 unit: 'day' -> 'hour'
--> 1:29 arguments: placed, shipped -> shipped, placed
--> 1:55 column: placed -> shipped
--> 1:62 arithmetic: + -> -
--> 1:73 constant: 3 -> 4

-- a part that nobody reads
WITH unread AS (SELECT id FROM shop.orders WHERE amount > 5), read AS (SELECT id, amount + 1 AS unseen FROM shop.orders) SELECT id FROM read;
--> 1:79 column: id -> customer_id AS id

-- a recursion is left alone
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r WHERE n > 2;
--> 1:79 distinct added: SELECT -> SELECT DISTINCT
--> 1:101 predicate dropped: n > 2 -> TRUE
--> 1:101 null let through: n > 2 -> (n > 2 OR n IS NULL)
--> 1:103 comparison: > -> >=
--> 1:103 comparison: > -> <>
--> 1:103 comparison: > -> <
--> 1:105 boundary: 2 -> 3

-- a comment, a quoted name, another way to write it
SELECT "id" /* the key */, amount AS "Amount in cents" FROM shop.orders WHERE amount != 5 -- not five
AND status == 'paid';
--> 1:8 column: "id" -> customer_id AS "id"
--> 1:28 column: amount -> discount
--> 1:79 predicate dropped: amount != 5 -> TRUE
--> 1:79 and/or: amount != 5 -- not five ... -> amount != 5 OR status == 'paid'
--> 1:79 column: amount -> discount
--> 1:86 comparison: != -> =
--> 1:86 comparison: != -> <
--> 1:86 comparison: != -> >
--> 1:89 constant: 5 -> 6
--> 2:5 predicate dropped: status == 'paid' -> TRUE
--> 2:5 column: status -> note
--> 2:12 comparison: == -> <>
--> 2:15 constant: 'paid' -> 'paid_'

-- null-safe
SELECT id FROM shop.orders WHERE discount IS DISTINCT FROM 5;
--> 1:8 column: id -> customer_id AS id
--> 1:34 predicate dropped: discount IS DISTINCT FROM 5 -> TRUE
--> 1:34 column: discount -> id
--> 1:43 comparison: IS DISTINCT FROM -> <>

-- relatives
SELECT id, least(amount, discount) AS low, abs(discount) AS size, year(placed) AS y FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 function: least -> greatest
--> 1:18 column: amount -> id
--> 1:26 column: discount -> id
--> 1:44 function dropped: abs(discount) -> discount
--> 1:48 column: discount -> id
--> 1:67 function: year -> month
--> 1:72 column: placed -> shipped

-- rows in groups, with a filter
SELECT status, count(*) FILTER (WHERE discount IS NOT NULL) AS reduced, avg(discount) FILTER (WHERE discount IS NOT NULL) AS mean FROM shop.orders GROUP BY ALL;
--> 1:39 predicate dropped: discount IS NOT NULL -> TRUE
--> 1:48 is null: IS NOT NULL -> IS NULL
--> 1:73 aggregate: avg -> sum
--> 1:73 aggregate: avg -> max
--> 1:73 aggregate: avg -> min
--> 1:77 aggregate distinct: discount -> DISTINCT discount
--> 1:77 column: discount -> id
--> 1:110 is null: IS NOT NULL -> IS NULL

-- the most, and nulls at the end
SELECT id FROM shop.orders ORDER BY discount DESC NULLS LAST, id LIMIT 3 OFFSET 1;
--> 1:8 column: id -> customer_id AS id
--> 1:37 column: discount -> id
--> 1:46 order: DESC -> ASC
--> 1:57 order: LAST -> FIRST
--> 1:63 order: id -> id DESC
--> 1:63 column: id -> customer_id
--> 1:72 limit: 3 -> 4
--> 1:72 limit: 3 -> 2
--> 1:81 limit: 1 -> 2

-- one column before another
SELECT id, coalesce(shipped, placed) AS day, coalesce(note, status, 'none') AS said FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 coalesce dropped: coalesce(shipped, placed) -> shipped
--> 1:21 coalesce order: shipped, placed -> placed, shipped
--> 1:59 coalesce dropped: , status -> (nothing)

-- IF
SELECT id, if(paid, amount, 0) AS got FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:15 not inserted: paid -> NOT paid
--> 1:21 case branches swapped: amount, 0 -> 0, amount
--> 1:21 column: amount -> discount
--> 1:29 constant: 0 -> 1

-- rows once
SELECT status FROM shop.orders UNION SELECT method FROM shop.payments;
--> 1:1 query dropped: SELECT status FROM shop.orders UNION -> (nothing)
--> 1:8 column: status -> note AS status
--> 1:32 set operation: UNION -> UNION ALL
--> 1:32 query dropped: UNION SELECT method FROM shop.payments -> (nothing)

-- a running total, with all rows
SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS total FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:12 aggregate: sum -> avg
--> 1:12 aggregate: sum -> max
--> 1:12 aggregate: sum -> min
--> 1:16 aggregate distinct: amount -> DISTINCT amount
--> 1:16 column: amount -> discount
--> 1:55 window frame: UNBOUNDED PRECEDING -> 1 PRECEDING
--> 1:79 window frame: UNBOUNDED FOLLOWING -> CURRENT ROW

-- the last before
SELECT o.id, p.id AS before FROM shop.orders AS o ASOF JOIN shop.orders AS p ON o.customer_id = p.customer_id AND o.id > p.id;
--> 1:8 column: o.id -> o.customer_id AS id
--> 1:14 column: p.id -> p.customer_id
--> 1:51 join kind: ASOF JOIN -> ASOF LEFT JOIN
--> 1:81 column: o.customer_id -> o.amount
--> 1:97 column: p.customer_id -> p.amount
--> 1:115 column: o.id -> o.customer_id
--> 1:120 comparison: > -> >=
--> 1:122 column: p.id -> p.customer_id

-- a hundred and its parts, by the day
SELECT placed, round(100.0 * count(*) FILTER (WHERE paid) / count(*), 1) AS percent FROM shop.orders GROUP BY placed HAVING count(*) FILTER (WHERE paid) > 0;
--> 1:22 constant: 100.0 -> 101.0
--> 1:28 arithmetic: * -> /
--> 1:53 predicate dropped: paid -> TRUE
--> 1:53 not inserted: paid -> NOT paid
--> 1:59 arithmetic: / -> *
--> 1:71 digits: 1 -> 2
--> 1:71 digits: 1 -> 0
--> 1:125 predicate dropped: count(*) FILTER (WHERE paid) > 0 -> TRUE
--> 1:148 predicate dropped: paid -> TRUE
--> 1:148 not inserted: paid -> NOT paid
--> 1:154 comparison: > -> >=
--> 1:154 comparison: > -> <
--> 1:156 boundary: 0 -> 1

-- a day in another form
SELECT id, strftime(placed, '%d/%m/%Y') AS day, (placed::TIMESTAMP AT TIME ZONE 'Europe/Madrid')::DATE AS utc FROM shop.orders;
--> 1:8 column: id -> customer_id AS id
--> 1:21 column: placed -> shipped
--> 1:29 format: '%d/%m/%Y' -> '%m/%d/%Y'
--> 1:50 column: placed -> shipped
--> 1:81 constant: 'Europe/Madrid' -> 'UTC'
