-- $1 run id  $2 name  $3 payload (JSON)  $4 sender
insert into signals (run_id, name, payload, sender) values ($1::uuid, $2, $3::json, $4)
