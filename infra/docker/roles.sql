-- Three roles, none of them a superuser: the owner migrates, consumers write, the gateway reads.
-- PostgreSQL's image runs this once, when the volume is new. It may be run again, which is the way to new
-- passwords after a change in .env:
--   docker compose up -d postgres
--   docker compose exec postgres psql -U postgres -d sekali -f /docker-entrypoint-initdb.d/roles.sql
\set ON_ERROR_STOP on
\getenv postgres_password POSTGRES_PASSWORD
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv consumer_password POSTGRES_CONSUMER_PASSWORD
\getenv gateway_password POSTGRES_GATEWAY_PASSWORD

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['sekali_owner', 'sekali_consumer', 'sekali_gateway']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE postgres PASSWORD :'postgres_password';
ALTER ROLE sekali_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE sekali_consumer LOGIN PASSWORD :'consumer_password';
ALTER ROLE sekali_gateway LOGIN PASSWORD :'gateway_password';
ALTER ROLE sekali_gateway SET default_transaction_read_only = on;

ALTER DATABASE sekali OWNER TO sekali_owner;
REVOKE ALL ON DATABASE sekali FROM PUBLIC;
GRANT CONNECT ON DATABASE sekali TO sekali_consumer, sekali_gateway;

-- For whatever the owner's migrations create, today's and later ones.
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT SELECT, INSERT, UPDATE ON TABLES TO sekali_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT USAGE ON SEQUENCES TO sekali_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT SELECT ON TABLES TO sekali_gateway;
