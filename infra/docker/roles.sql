-- Four roles, none of them a superuser: the owner migrates, consumers write the log, projectors read it and write
-- projections, the gateway reads.
-- roles.sh runs it for docker compose. Elsewhere run it with psql as a superuser, with the five passwords in the
-- environment. It may be run again.
\set ON_ERROR_STOP on
\getenv postgres_password POSTGRES_PASSWORD
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv consumer_password POSTGRES_CONSUMER_PASSWORD
\getenv gateway_password POSTGRES_GATEWAY_PASSWORD
\getenv projector_password POSTGRES_PROJECTOR_PASSWORD

SELECT format('CREATE ROLE %I', name)
  FROM unnest(ARRAY['sekali_owner', 'sekali_consumer', 'sekali_gateway', 'sekali_projector']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE postgres PASSWORD :'postgres_password';
ALTER ROLE sekali_owner LOGIN PASSWORD :'owner_password';
ALTER ROLE sekali_consumer LOGIN PASSWORD :'consumer_password';
ALTER ROLE sekali_gateway LOGIN PASSWORD :'gateway_password';
ALTER ROLE sekali_projector LOGIN PASSWORD :'projector_password';
ALTER ROLE sekali_gateway SET default_transaction_read_only = on;

ALTER DATABASE sekali OWNER TO sekali_owner;
REVOKE ALL ON DATABASE sekali FROM PUBLIC;
GRANT CONNECT ON DATABASE sekali TO sekali_consumer, sekali_gateway, sekali_projector;

-- For whatever the owner's migrations create, today's and later ones. What is stored is never changed; the one table
-- that consumers update is below.
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner REVOKE ALL ON TABLES FROM sekali_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO sekali_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT USAGE ON SEQUENCES TO sekali_consumer;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT SELECT ON TABLES TO sekali_gateway, sekali_projector;
-- Functions have their owner's rights: they are for the gateway, which may write nothing else.
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner GRANT EXECUTE ON FUNCTIONS TO sekali_gateway;

-- What is folded from the log lies apart from it, so that projectors may write the one and not the other.
CREATE SCHEMA IF NOT EXISTS projections AUTHORIZATION sekali_owner;
GRANT USAGE ON SCHEMA projections TO sekali_gateway, sekali_projector;
ALTER DEFAULT PRIVILEGES FOR ROLE sekali_owner IN SCHEMA projections
  GRANT INSERT, UPDATE, DELETE ON TABLES TO sekali_projector;

-- When this is run again: for what is there already.
GRANT SELECT ON ALL TABLES IN SCHEMA public, projections TO sekali_gateway, sekali_projector;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO sekali_projector;
REVOKE ALL ON ALL TABLES IN SCHEMA public, projections FROM sekali_consumer;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO sekali_consumer;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, projections FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, projections TO sekali_gateway;
-- When the volume is new, the migrations that make the table grant it.
SELECT 'GRANT UPDATE ON public.topics TO sekali_consumer' WHERE to_regclass('public.topics') IS NOT NULL \gexec
