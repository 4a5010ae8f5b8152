select a,b , count(*) n from t where x=1 and y in (select id from q) group by 1 order by 2 desc nulls last limit 10 offset 5;
----
SELECT a, b, count(*) n
FROM t
WHERE x = 1 AND y IN (SELECT id FROM q)
GROUP BY 1
ORDER BY 2 DESC NULLS LAST
LIMIT 10
OFFSET 5;
====
select a.x, case when a.y>1 then 'big' when a.y is null then 'none' else 'small' end size, sum(b.amount) filter (where b.kind='x') total, row_number() over (partition by a.id order by b.at desc, b.id) as n from shop.orders a left join shop.payments b on a.id=b.order_id and b.kind<>'void' and b.amount between 1 and 5 where a.day>=date '2024-01-01' -- only new
 and left(a.code, 2) = 'ab'
----
SELECT
    a.x,
    CASE WHEN a.y > 1 THEN 'big' WHEN a.y IS NULL THEN 'none' ELSE 'small' END size,
    sum(b.amount) FILTER (WHERE b.kind = 'x') total,
    row_number() OVER (PARTITION BY a.id ORDER BY b.at DESC, b.id) AS n
FROM shop.orders a
LEFT JOIN shop.payments b ON a.id = b.order_id AND b.kind <> 'void' AND b.amount BETWEEN 1 AND 5
WHERE a.day >= date '2024-01-01' -- only new
    AND left(a.code, 2) = 'ab'
====
with a as (select 1 x), b as (
select * exclude (k) from dedupe(staging.flights, key:=flight_id, newest := seen_at) f)
select * from a cross join b union all by name select * from b
----
WITH a AS (SELECT 1 x),
b AS (
    SELECT * EXCLUDE (k) FROM dedupe(staging.flights, key := flight_id, newest := seen_at) f
)

SELECT * FROM a CROSS JOIN b
UNION ALL BY NAME
SELECT * FROM b
====
FROM t SELECT x::int, y[1:2], {'a': 1, 'b': [1,2]}, -1, a-1, x->>'$.y', list_transform(l, lambda v: v+1), interval 3 day, t.at at time zone 'UTC', $start, columns('a.*'), 1.5e-3, not x, (a+b)*-2, extract(year from d), cast(a as decimal(10,2)), "Quoted" as end, a.end
----
FROM t
SELECT
    x::int,
    y[1:2],
    {'a': 1, 'b': [1, 2]},
    -1,
    a - 1,
    x->>'$.y',
    list_transform(l, lambda v: v + 1),
    INTERVAL 3 day,
    t.at AT TIME ZONE 'UTC',
    $start,
    columns('a.*'),
    1.5e-3,
    NOT x,
    (a + b) * -2,
    extract(year FROM d),
    CAST(a AS decimal(10, 2)),
    "Quoted" AS end,
    a.end
====
select
    a, -- first
    -- second's own
    b
    , c /* in */
from t

-- why
where a


  -- or
  or b -- trailing
----
SELECT
    a, -- first
    -- second's own
    b,
    c /* in */
FROM t

-- why
WHERE a

    -- or
    OR b -- trailing
====
select coalesce(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, ccccccccccccccccccccccccccc, ddddddddddddd) as x, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa || '-' || bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb || '-' || ccccccccccccccccccccccccccccccc as y from t
----
SELECT
    coalesce(
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
        bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
        ccccccccccccccccccccccccccc,
        ddddddddddddd
    ) AS x,
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    || '-'
    || bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    || '-'
    || ccccccccccccccccccccccccccccccc AS y
FROM t
====
select sum(x) over (partition by a order by b rows between unbounded preceding and current row) s from t window w as (partition by z) qualify s>1
----
SELECT sum(x) OVER (PARTITION BY a ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) s
FROM t
WINDOW w AS (PARTITION BY z)
QUALIFY s > 1
====
pivot t on a using sum(b) group by c
----
PIVOT t ON a USING sum(b) GROUP BY c
====
values (1,2),(3,4)
----
VALUES (1, 2), (3, 4)
====
select * from (values (1,'a'),(2,'b')) v(id,name), unnest([1,2]) u(x) where exists(select 1 from z) and x in (1,2,3)
----
SELECT *
FROM (VALUES (1, 'a'), (2, 'b')) v(id, name), unnest([1, 2]) u(x)
WHERE EXISTS(SELECT 1 FROM z) AND x IN (1, 2, 3)
====
select a from t
----
SELECT a FROM t
====
select id,
name from t where a=1 and (b=2 or
c=3)
----
SELECT
    id,
    name
FROM t
WHERE a = 1 AND (b = 2 OR c = 3)
====
select 1 -- one
;
----
SELECT 1 -- one
;
====
-- first
select a -- why
from t
----
-- first
SELECT a -- why
FROM t
====
select count(*)filter(where a>1)from t
----
SELECT count(*) FILTER (WHERE a > 1) FROM t
====
select case a
when 1 then 'x' else 'y' end from t
----
SELECT CASE a
    WHEN 1 THEN 'x'
    ELSE 'y'
END
FROM t
====
select a from t left join u on t.a=u.a
and t.b=u.b
----
SELECT a
FROM t
LEFT JOIN u
    ON t.a = u.a
    AND t.b = u.b
====
select x from t where a in (
select b from u)
and c
----
SELECT x
FROM t
WHERE a IN (
    SELECT b FROM u
)
    AND c
