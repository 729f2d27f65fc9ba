-- base.sql and the measures. A zero in x, y or z is a measurement that is missing.
--
-- The table has neither a key nor an order. `stone` is a hash of all that is measured of a stone, so it does not
-- change when rows come, go or are sorted otherwise; stones that are alike share it. `diamond_id` adds the place
-- among those, by price. The price is not part of the hash: one stone at two prices is one stone to the split.
--
-- Numbers are whole (hundredths of a carat, tenths of a percent, hundredths of a mm): a tree cuts halfway between two
-- values, which for 52.3 and 52.5 is 52.4 but for rounding, and the model computes in float32.
WITH stones AS (
  SELECT *, md5(concat_ws(chr(31), carat, cut, color, clarity, depth, "table", x, y, z)) AS stone
  FROM diamonds
)
SELECT concat_ws('-', stone, row_number() OVER (PARTITION BY stone ORDER BY price)) AS diamond_id,
       price, stone, cut, color, clarity,
       CAST(round(100 * carat) AS INTEGER) AS points,
       CAST(round(10 * depth) AS INTEGER) AS depth, CAST(round(10 * "table") AS INTEGER) AS "table",
       CAST(round(100 * nullif(x, 0)) AS INTEGER) AS x,
       CAST(round(100 * nullif(y, 0)) AS INTEGER) AS y,
       CAST(round(100 * nullif(z, 0)) AS INTEGER) AS z
FROM stones
