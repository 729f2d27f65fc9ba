-- The table has neither a key nor an order. `stone` is a hash of all that is measured of a stone, so it does not
-- change when rows come, go or are sorted otherwise; stones that are alike share it. `diamond_id` adds the place
-- among those, by price. The price is not part of the hash: the same stone at two prices is one stone to the split.
-- A zero in x, y or z is a measurement that is missing.
WITH stones AS (
  SELECT *, md5(concat_ws(chr(31), carat, cut, color, clarity, depth, "table", x, y, z)) AS stone
  FROM diamonds
)
SELECT concat_ws('-', stone, row_number() OVER (PARTITION BY stone ORDER BY price)) AS diamond_id,
       price, stone,
       carat, cut, color, clarity
FROM stones
