-- a column, a renamed one, an expression
SELECT id, amount AS price, amount * 2 AS twice FROM shop.orders;
--> id <= orders.id
--> price <= orders.amount
--> twice <- orders.amount
--> rows <- nothing

-- an expression without a name
SELECT amount + 1, count(*) OVER () FROM shop.orders;
--> (amount + 1) <- orders.amount
--> count() OVER () <- nothing
--> rows <- nothing

-- a filter decides the rows
SELECT id FROM shop.orders WHERE status = 'paid' AND amount > 10;
--> id <= orders.id
--> rows <- orders.amount, orders.status

-- an alias in WHERE; a column comes before an alias
SELECT amount - 5 AS less, abs(amount) AS amount FROM shop.orders WHERE less > 0 AND amount < 90;
--> less <- orders.amount
--> amount <- orders.amount
--> rows <- orders.amount

-- an alias in the list after it
SELECT amount * 2 AS twice, twice + 1 AS more, id AS amount, amount AS again FROM shop.orders;
--> twice <- orders.amount
--> more <- orders.amount
--> amount <= orders.id
--> again <= orders.amount
--> rows <- nothing

-- distinct rows
SELECT DISTINCT status, customer_id FROM shop.orders;
--> status <= orders.status
--> customer_id <= orders.customer_id
--> rows <- orders.customer_id, orders.status

-- the first row of each
SELECT DISTINCT ON (customer_id) customer_id, amount FROM shop.orders ORDER BY customer_id, placed DESC, id;
--> customer_id <= orders.customer_id
--> amount <= orders.amount
--> rows <- orders.customer_id, orders.id, orders.placed

-- the order of the rows of a table is not part of it
SELECT id, amount FROM shop.orders ORDER BY placed;
--> id <= orders.id
--> amount <= orders.amount
--> rows <- nothing

-- but it is with a limit
SELECT id, amount FROM shop.orders ORDER BY placed, id LIMIT 3 OFFSET 1;
--> id <= orders.id
--> amount <= orders.amount
--> rows <- orders.id, orders.placed

-- FROM first
FROM shop.orders SELECT id, status WHERE amount > 3;
--> id <= orders.id
--> status <= orders.status
--> rows <- orders.amount

-- FROM alone
FROM shop.customers;
--> id <= customers.id
--> name <= customers.name
--> city <= customers.city
--> rows <- nothing

-- a column named before its expression
SELECT price: amount + 1, id FROM shop.orders;
--> price <- orders.amount
--> id <= orders.id
--> rows <- nothing

-- a constant and no table
SELECT 1 AS one, 'x' AS word;
--> one <- nothing
--> word <- nothing
--> rows <- nothing

-- case, between, in, like, is null
SELECT CASE WHEN amount > 5 THEN status ELSE 'low' END AS label, id BETWEEN 1 AND 5 AS few, status IN ('paid', 'open') AS known,
  status LIKE 'p%' AS p, placed IS NULL AS never FROM shop.orders;
--> label <- orders.amount, orders.status
--> few <- orders.id
--> known <- orders.status
--> p <- orders.status
--> never <- orders.placed
--> rows <- nothing

-- casts and dates
SELECT placed::VARCHAR AS text, date_trunc('month', placed) AS month, extract(year FROM placed) AS year, placed + INTERVAL 1 DAY AS next,
  datediff('day', placed, DATE '2026-01-01') AS age FROM shop.orders;
--> text <- orders.placed
--> month <- orders.placed
--> year <- orders.placed
--> next <- orders.placed
--> age <- orders.placed
--> rows <- nothing

-- a unit that is a column, which the parser takes for a word
SELECT id, date_trunc(status, placed) AS cut FROM shop.orders WHERE false;
--> id <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> cut <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> rows <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags

-- an argument that the parser takes for a unit
SELECT id, time_bucket(INTERVAL 7 DAY, placed, shipped) AS week FROM shop.orders;
--> id <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> week <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> rows <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags

-- fields of a STRUCT, elements of a LIST
SELECT address.city AS city, orders.address.zip AS zip, tags[1] AS first_tag, address['city'] AS again, shop.orders.id FROM shop.orders;
--> city <- orders.address
--> zip <- orders.address
--> first_tag <- orders.tags
--> again <- orders.address
--> id <= orders.id
--> rows <- nothing

-- a whole row
SELECT o.id, o AS everything FROM shop.orders AS o;
--> id <= orders.id
--> everything <- orders.address, orders.amount, orders.customer_id, orders.id, orders.note, orders.placed, orders.shipped, orders.status, orders.tags
--> rows <- nothing

-- structs, lists and maps are made
SELECT {'a': id, 'b': amount} AS s, [id, amount] AS l, MAP {coalesce(status, ''): id} AS m, struct_pack(x := id, y := status) AS p, row(id, status) AS r
FROM shop.orders;
--> s <- orders.amount, orders.id
--> l <- orders.amount, orders.id
--> m <- orders.id, orders.status
--> p <- orders.id, orders.status
--> r <- orders.id, orders.status
--> rows <- nothing

-- lambdas
SELECT list_transform(tags, lambda t: t || status) AS marked, list_filter(tags, lambda t, i: i > customer_id) AS few FROM shop.orders;
--> marked <- orders.status, orders.tags
--> few <- orders.customer_id, orders.tags
--> rows <- nothing

-- a lambda's parameter with the name of a column
SELECT list_transform(tags, lambda amount: amount || 'x') AS marked FROM shop.orders;
--> marked <- orders.tags
--> rows <- nothing

-- a list comprehension
SELECT [t || status FOR t IN tags IF length(t) > 1] AS marked FROM shop.orders;
--> marked <- orders.status, orders.tags
--> rows <- nothing

-- an arrow that is no lambda
SELECT to_json(address) -> 'city' AS city, length(note -> '$.k') AS long FROM shop.orders;
--> city <- orders.address
--> long <- orders.note
--> rows <- nothing

-- one row becomes many
SELECT id, unnest(tags) AS tag FROM shop.orders;
--> id <= orders.id
--> tag <- orders.tags
--> rows <- orders.tags

-- methods
SELECT status.upper() AS loud FROM shop.orders;
--> loud <- orders.status
--> rows <- nothing

-- a parameter
SELECT id, amount * $factor AS scaled FROM shop.orders WHERE placed >= $start;
--> id <= orders.id
--> scaled <- orders.amount
--> rows <- orders.placed

-- values
VALUES (1, 'a'), (2, 'b');
--> col0 <- nothing
--> col1 <- nothing
--> rows <- nothing

-- values as a source
SELECT v.x, v.y || c.name AS y FROM (VALUES (1, 'a'), (2, 'b')) AS v(x, y) JOIN shop.customers AS c ON c.id = v.x;
--> x <- nothing
--> y <- customers.name
--> rows <- customers.id

-- in parentheses, with a limit behind
(SELECT id, amount FROM shop.orders) ORDER BY amount, id LIMIT 2;
--> id <= orders.id
--> amount <= orders.amount
--> rows <- orders.amount, orders.id

-- names in other case, quotes
SELECT ID, "Amount" AS "The Amount" FROM Shop.ORDERS;
--> id <= orders.id
--> The Amount <= orders.amount
--> rows <- nothing

-- some of the rows
SELECT id FROM shop.orders USING SAMPLE 100 PERCENT (bernoulli);
--> id <= orders.id
--> rows <- nothing
