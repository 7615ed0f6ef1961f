-- Places before the last child of a task that an attempt is yet to do: their runs failed or were cancelled before it, or are gone.
-- $1 parent run id  $2 task key  $3 first attempt whose children count  $4 attempt  $5 number of places  $6 how many at most
-- Result: index, in order.
select place.index
from generate_series(0, $5::int - 1) as place (index)
where not exists (
  select from runs child
  where child.parent_run_id = $1::uuid and child.parent_task = $2 and child.parent_from = $3::int and child.parent_index = place.index
    and (child.status not in ('failed', 'cancelled') or child.parent_attempt >= $4::int)
)
order by place.index limit $6
