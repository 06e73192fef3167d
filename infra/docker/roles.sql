-- The passwords of PostgreSQL's roles, from the environment, for packages/store/roles.sql, which makes the roles.
-- For a PostgreSQL of your own: run both in one session, as a superuser, with the six passwords in the environment:
-- psql --file infra/docker/roles.sql --file packages/store/roles.sql
\set ON_ERROR_STOP on
-- No statement is shown, neither by the server's log, whatever it is set to, nor by psql: these have passwords in them.
SET log_statement = none;
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;
\set SHOW_CONTEXT never
\getenv postgres_password POSTGRES_PASSWORD
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv consumer_password POSTGRES_CONSUMER_PASSWORD
\getenv gateway_password POSTGRES_GATEWAY_PASSWORD
\getenv projector_password POSTGRES_PROJECTOR_PASSWORD
\getenv dispatcher_password POSTGRES_DISPATCHER_PASSWORD
\if :{?dispatcher_password}
\else
\set dispatcher_password ''
\endif

ALTER ROLE postgres PASSWORD :'postgres_password';
-- An answer would be shown: \gset takes it.
SELECT set_config('sekali.owner_password', :'owner_password', false) AS taken,
       set_config('sekali.consumer_password', :'consumer_password', false) AS taken_too,
       set_config('sekali.gateway_password', :'gateway_password', false) AS taken_also,
       set_config('sekali.projector_password', :'projector_password', false) AS taken_last,
       set_config('sekali.dispatcher_password', :'dispatcher_password', false) AS taken_at_last \gset
