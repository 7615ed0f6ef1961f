-- Values that tasks are given and nobody is shown, each encrypted under its name.
create table secrets (
  name text primary key,
  -- Which key it is encrypted with.
  key_id text not null,
  -- Nonce, ciphertext and tag of AES-256-GCM.
  sealed bytea not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
