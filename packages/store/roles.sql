-- Four roles that processes have, none of them a superuser: the owner migrates, consumers write the log, projectors read
-- it and write projections, the gateway reads. And three that nobody has: each owns a schema and the functions that write
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
  EXECUTE format('ALTER DATABASE %I OWNER TO sekali_owner', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO sekali_consumer, sekali_gateway, sekali_projector', current_database());
END $$;
ALTER ROLE sekali_gateway SET default_transaction_read_only = on;

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

-- Keys, the audit log, operations: what writes one cannot change another, nor the log of events. The owner is a member, so
-- that it can migrate them. What it, or a superuser, has made of them before there were these roles becomes theirs.
DO $$
DECLARE
  part text;
  role text;
  command text;
  has_migrated CONSTANT boolean := EXISTS (
    SELECT FROM pg_tables WHERE schemaname = 'drizzle' AND tableowner IN (current_user, 'sekali_owner'));
BEGIN
  FOREACH part IN ARRAY ARRAY['access', 'audit', 'operations'] LOOP
    role := 'sekali_' || part;
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
      SELECT format('ALTER FUNCTION %s OWNER TO %I', f.oid::regprocedure, role) FROM pg_proc f
      WHERE f.pronamespace = part::regnamespace AND f.proowner IN (current_user::regrole, 'sekali_owner'::regrole)
    LOOP
      EXECUTE command;
    END LOOP;
  END LOOP;
END $$;
GRANT USAGE ON SCHEMA access, audit, operations TO sekali_gateway;
GRANT USAGE ON SCHEMA audit TO sekali_access, sekali_operations;
GRANT USAGE ON SCHEMA access TO sekali_operations;
GRANT USAGE ON SCHEMA public TO sekali_operations;
GRANT SELECT ON ALL TABLES IN SCHEMA access, audit, operations TO sekali_gateway;
REVOKE ALL ON ALL TABLES IN SCHEMA access, audit, operations FROM sekali_consumer, sekali_projector;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA access, audit, operations FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access, audit, operations TO sekali_gateway;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA audit TO sekali_access, sekali_operations;
-- Those that only functions call: whoever could call them could write what no function did, or hold a key's row.
DO $$
BEGIN
  IF to_regprocedure('audit.append(text, text, text, text, jsonb)') IS NULL THEN RETURN; END IF;
  REVOKE EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb), access.hold(text, timestamptz, text)
    FROM sekali_gateway;
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
  END IF;
  -- The pepper is for who stores events and for who looks them up by their ids.
  IF to_regclass('public.installation') IS NOT NULL THEN
    REVOKE ALL ON public.installation, public.key_upgrade FROM sekali_consumer, sekali_projector;
    GRANT SELECT ON public.installation TO sekali_consumer;
    GRANT EXECUTE ON FUNCTION public.event_key(bytea, integer, text), public.event_key(integer, text),
      public.content_tag(bytea, text, text, text), public.content_tag(text, text), public.refuse_older_consumer()
      TO sekali_consumer;
    REVOKE EXECUTE ON FUNCTION public.fill_event_key(), public.use_event_keys(), public.require_event_keys()
      FROM sekali_gateway;
  END IF;
END $$;
