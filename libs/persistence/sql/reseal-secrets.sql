-- Seals secrets with another key; when their values were set stays.
-- $1 key id  $2 names  $3 sealed
update secrets set key_id = $1, sealed = given.sealed
from unnest($2::text[], $3::bytea[]) as given(name, sealed) where secrets.name = given.name
