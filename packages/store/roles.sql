-- Five roles that processes have, none of them a superuser: the owner migrates, consumers write the log, projectors read
-- it and write projections, the gateway reads, dispatchers are handed what they send. And four that nobody has: each owns a schema and the functions that write
-- it, which the gateway may call.
-- Plain SQL for a superuser, in the database that is Sekali's. It may be run again. The passwords are settings of the
-- session, sekali.owner_password and so on: src/postgres/roles.ts sets them for npm start, infra/docker/roles.sql for psql.

DO $$
DECLARE
  part text;
  role text;
BEGIN
  FOREACH part IN ARRAY ARRAY['owner', 'consumer', 'gateway', 'projector'] LOOP
    role := 'sekali_' || part;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN EXECUTE format('CREATE ROLE %I', role); END IF;
    BEGIN
      EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', role, current_setting(format('sekali.%s_password', part)));
    EXCEPTION WHEN query_canceled OR OTHERS THEN -- whose context would show the statement, and so the password
      RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = format('role %s: %s', role, SQLERRM);
    END;
  END LOOP;
  -- An installation from before there were dispatchers has no password for them: then none can log in.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sekali_dispatcher') THEN CREATE ROLE sekali_dispatcher; END IF;
  IF current_setting('sekali.dispatcher_password', true) <> '' THEN
    BEGIN
      EXECUTE format('ALTER ROLE sekali_dispatcher LOGIN PASSWORD %L', current_setting('sekali.dispatcher_password'));
    EXCEPTION WHEN query_canceled OR OTHERS THEN
      RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = format('role sekali_dispatcher: %s', SQLERRM);
    END;
  END IF;
  EXECUTE format('ALTER DATABASE %I OWNER TO sekali_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO sekali_consumer, sekali_gateway, sekali_projector, sekali_dispatcher',
    current_database());
END $$;
ALTER ROLE sekali_gateway SET default_transaction_read_only = on;

-- What processes ask for when they connect. A pooler refuses that, so their roles have it as well: it holds for single
-- statements, and transactions bring their own. The owner's migrations take as long as they take.
DO $$
DECLARE
  part text;
  setting record;
BEGIN
  FOREACH part IN ARRAY ARRAY['consumer', 'gateway', 'projector', 'dispatcher'] LOOP
    FOR setting IN
      SELECT * FROM (VALUES
        ('statement_timeout', CASE part WHEN 'gateway' THEN '3s' ELSE '5s' END),
        ('idle_in_transaction_session_timeout', '8s'),
        ('plan_cache_mode', 'force_custom_plan'),
        ('jit', 'off'),
        ('log_parameter_max_length_on_error', '0'),
        -- No rows and no parameters in its log. Where even a superuser may not say so, the doctor does.
        ('log_error_verbosity', 'terse'),
        ('log_parameter_max_length', '0')) AS wanted (name, value)
      WHERE has_parameter_privilege(name, 'SET') OR name NOT LIKE 'log_%' OR name LIKE '%_on_error'
    LOOP
      EXECUTE format('ALTER ROLE %I SET %I = %L', 'sekali_' || part, setting.name, setting.value);
    END LOOP;
  END LOOP;
END $$;

-- Where there were no roles so far, a superuser has migrated. What it has made becomes the owner's, so that the owner can
-- go on. What an extension brings stays as it is.
DO $$
DECLARE
  command text;
  ours CONSTANT text[] := ARRAY['public', 'projections', 'drizzle'];
BEGIN
  IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'drizzle' AND tableowner = current_user) THEN RETURN; END IF;
  FOR command IN
    SELECT format('ALTER SCHEMA %I OWNER TO sekali_owner', nspname) FROM pg_namespace
    WHERE nspname = ANY (ours) AND nspowner = current_user::regrole
    UNION ALL
    SELECT format('ALTER TABLE %s OWNER TO sekali_owner', c.oid::regclass)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (ours) AND c.relowner = current_user::regrole AND c.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
    UNION ALL
    SELECT format('ALTER FUNCTION %s OWNER TO sekali_owner', f.oid::regprocedure)
    FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
    WHERE n.nspname = ANY (ours) AND f.proowner = current_user::regrole AND f.prokind = 'f'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = f.oid AND deptype = 'e')
  LOOP
    EXECUTE command;
  END LOOP;
END $$;

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

-- Keys, the audit log, operations, subscriptions: what writes one cannot change another, nor the log of events. The owner is
-- a member, so that it can migrate them. What it, or a superuser, has made of them before there were these roles becomes
-- theirs. What the schema sekali has is for others than Sekali: nobody may call it unless somebody grants it.
DO $$
DECLARE
  part text;
  role text;
  command text;
  has_migrated CONSTANT boolean := EXISTS (
    SELECT FROM pg_tables WHERE schemaname = 'drizzle' AND tableowner IN (current_user, 'sekali_owner'));
BEGIN
  FOREACH part IN ARRAY ARRAY['access', 'audit', 'operations', 'subscriptions', 'sekali'] LOOP
    role := 'sekali_' || CASE part WHEN 'sekali' THEN 'subscriptions' ELSE part END;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', role); END IF;
    EXECUTE format('GRANT %I TO sekali_owner', role);
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', part, role);
    CONTINUE WHEN NOT has_migrated;
    FOR command IN
      SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, role) FROM pg_namespace
      WHERE nspname = part AND nspowner IN (current_user::regrole, 'sekali_owner'::regrole)
      UNION ALL
      SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, role) FROM pg_class c
      WHERE c.relnamespace = part::regnamespace AND c.relkind = 'r'
        AND c.relowner IN (current_user::regrole, 'sekali_owner'::regrole)
      UNION ALL
      SELECT format('ALTER TYPE %s OWNER TO %I', c.oid::regclass, role) FROM pg_class c
      WHERE c.relnamespace = part::regnamespace AND c.relkind = 'c'
        AND c.relowner IN (current_user::regrole, 'sekali_owner'::regrole)
      UNION ALL
      SELECT format('ALTER FUNCTION %s OWNER TO %I', f.oid::regprocedure, role) FROM pg_proc f
      WHERE f.pronamespace = part::regnamespace AND f.proowner IN (current_user::regrole, 'sekali_owner'::regrole)
    LOOP
      EXECUTE command;
    END LOOP;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA access, audit, operations, subscriptions TO sekali_gateway;
GRANT USAGE ON SCHEMA audit TO sekali_access, sekali_operations, sekali_subscriptions;
GRANT USAGE ON SCHEMA access TO sekali_operations, sekali_subscriptions;
GRANT USAGE ON SCHEMA public TO sekali_operations, sekali_subscriptions;
GRANT SELECT ON ALL TABLES IN SCHEMA access, audit, operations, subscriptions TO sekali_gateway;
REVOKE ALL ON ALL TABLES IN SCHEMA access, audit, operations, subscriptions FROM sekali_consumer, sekali_projector;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA access, audit, operations, subscriptions, sekali FROM PUBLIC;
-- Of subscriptions it may call what is whole, and not the parts; of what others than Sekali are allowed, nothing.
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriptions, sekali FROM sekali_gateway;
DO $$
DECLARE
  whole text;
BEGIN
  FOR whole IN
    SELECT f.oid::regprocedure FROM pg_proc f WHERE f.pronamespace = 'subscriptions'::regnamespace AND f.proname IN
      ('pull', 'pull_grant', 'granted_json', 'settle', 'look', 'figures', 'put', 'seek', 'set_state', 'remove', 'settle_dead',
        'put_push', 'rotate_secret', 'remove_secret', 'redeliver', 'ask_test')
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sekali_gateway', whole);
  END LOOP;
END $$;
-- Of push subscriptions the gateway seals what is secret and does not read it again. Dispatchers call what is whole, too.
GRANT USAGE ON SCHEMA subscriptions TO sekali_dispatcher;
DO $$
DECLARE
  whole text;
BEGIN
  IF to_regclass('subscriptions.endpoints') IS NULL THEN RETURN; END IF;
  REVOKE ALL ON subscriptions.endpoints, subscriptions.secrets FROM sekali_gateway;
  GRANT SELECT (id, subscription, created_at, created_by, expires_at) ON subscriptions.secrets TO sekali_gateway;
  GRANT SELECT (subscription, url, header_names, concurrency, rate_per_s, timeout_s, body, batch_max, state, why, since,
    failures, failing_since, failed_at, held_until, holds, probe_at, dead_seen, changed_at) ON subscriptions.endpoints TO sekali_gateway;
  REVOKE ALL ON ALL TABLES IN SCHEMA subscriptions FROM sekali_dispatcher;
  GRANT SELECT ON public.topics, subscriptions.subscriptions, subscriptions.endpoints, subscriptions.secrets,
    subscriptions.exceptions, subscriptions.dispatchers TO sekali_dispatcher;
  REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriptions, sekali FROM sekali_dispatcher;
  FOR whole IN
    SELECT f.oid::regprocedure FROM pg_proc f WHERE f.pronamespace = 'subscriptions'::regnamespace AND f.proname IN
      ('push_turn', 'push_beat', 'push_take_tests', 'push_answer_test', 'push_sweep')
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO sekali_dispatcher', whole);
  END LOOP;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access, audit, operations TO sekali_gateway;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit TO sekali_access, sekali_operations;
-- Those that only functions call: whoever could call them could write what no function did, or hold a key's row.
DO $$
BEGIN
  IF to_regprocedure('audit.append(text, text, text, text, jsonb)') IS NULL THEN RETURN; END IF;
  REVOKE EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb), access.hold(text, timestamptz, text)
    FROM sekali_gateway;
  GRANT EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb), access.hold(text, timestamptz, text)
    TO sekali_subscriptions;
  IF to_regprocedure('access.has_ended(text, timestamptz)') IS NULL THEN RETURN; END IF;
  REVOKE EXECUTE ON FUNCTION access.has_ended(text, timestamptz) FROM sekali_gateway;
  GRANT EXECUTE ON FUNCTION access.hold(text, timestamptz, text), access.has_ended(text, timestamptz)
    TO sekali_operations;
END $$;

-- When this is run again: for what is there already.
GRANT SELECT ON ALL TABLES IN SCHEMA public, projections TO sekali_gateway, sekali_projector;
GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA projections TO sekali_projector;
REVOKE ALL ON ALL TABLES IN SCHEMA public, projections FROM sekali_consumer;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO sekali_consumer;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, projections FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, projections TO sekali_gateway;
-- When the database is new, the migrations that make the table grant it.
DO $$
BEGIN
  IF to_regclass('public.topics') IS NOT NULL THEN
    GRANT UPDATE ON public.topics TO sekali_consumer;
    GRANT SELECT ON public.topics, public.dead_letters, public.conflicts TO sekali_operations;
    GRANT SELECT ON public.topics, public.events TO sekali_subscriptions;
  END IF;
  IF to_regclass('public.spans') IS NOT NULL THEN GRANT SELECT ON public.spans TO sekali_subscriptions; END IF;
  IF to_regclass('public.forks') IS NOT NULL THEN GRANT SELECT ON public.forks TO sekali_subscriptions; END IF;
  -- The pepper is for who stores events and for who looks them up by their ids.
  IF to_regclass('public.installation') IS NOT NULL THEN
    REVOKE ALL ON public.installation, public.key_upgrade FROM sekali_consumer, sekali_projector;
    GRANT SELECT ON public.installation TO sekali_consumer, sekali_subscriptions;
    GRANT EXECUTE ON FUNCTION public.event_key(bytea, integer, text), public.event_key(integer, text),
      public.content_tag(bytea, text, text, text), public.content_tag(text, text), public.refuse_older_consumer()
      TO sekali_consumer;
    REVOKE EXECUTE ON FUNCTION public.fill_event_key(), public.use_event_keys(), public.require_event_keys()
      FROM sekali_gateway;
  END IF;
END $$;
