-- Keys and the audit log. Each has a schema and, where roles.sql has made them, a role that owns it and that nobody logs
-- in as. The gateway's role reads; whatever is written is written by these functions, with their owner's rights. So what
-- writes keys cannot change the audit log, nor the other way round, and neither can change the log of events.
CREATE SCHEMA IF NOT EXISTS "access";
--> statement-breakpoint
CREATE SCHEMA IF NOT EXISTS "audit";
--> statement-breakpoint
CREATE TABLE "audit"."entries" (
	"number" bigint PRIMARY KEY NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"actor" text NOT NULL,
	"client" text,
	"action" text NOT NULL,
	"target" text NOT NULL,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "access"."keys" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"scopes" text[] NOT NULL,
	"topics" text[] NOT NULL,
	"source" text,
	"events_per_second" bigint,
	"bytes_per_second" bigint,
	"created_at" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp(6) with time zone,
	"revoked_at" timestamp(6) with time zone,
	"last_used_at" timestamp(6) with time zone,
	"successor" text,
	CONSTRAINT "keys_hash" CHECK (octet_length("access"."keys"."hash") = 32),
	CONSTRAINT "keys_scopes" CHECK ("access"."keys"."scopes" <@ ARRAY['publish', 'read', 'admin']),
	CONSTRAINT "keys_topics" CHECK (array_position("access"."keys"."topics", NULL) IS NULL AND array_to_string("access"."keys"."topics", '') !~ ' ' AND
    ' ' || array_to_string("access"."keys"."topics", ' ') ~ '^( (([A-Za-z0-9_-]+|\*)\.)*([A-Za-z0-9_-]+|\*|>))+$'),
	CONSTRAINT "keys_limits" CHECK ("access"."keys"."events_per_second" > 0 AND "access"."keys"."bytes_per_second" > 0)
);
--> statement-breakpoint
-- Adds an entry. One at a time until COMMIT, so that numbers have no gap and come in the order of COMMIT: a reader that
-- has seen 42 has all before it. Call it last in a transaction. It locks the table, which takes rights on it: an advisory
-- lock any role could take, and so stop revocations. It is for functions; clients have report() below.
CREATE FUNCTION "audit"."append"(actor text, client text, action text, target text, details jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own bigint;
BEGIN
	LOCK TABLE audit.entries IN SHARE ROW EXCLUSIVE MODE;
	SELECT coalesce(max(e.number), 0) + 1 INTO own FROM audit.entries e;
	INSERT INTO audit.entries (number, actor, client, action, target, details)
	VALUES (own, append.actor, append.client, append.action, append.target, append.details);
	RETURN own;
END $$;--> statement-breakpoint
-- For what a client of the database does beside these functions. Changes to keys have their own entries, which nobody
-- else can write.
CREATE FUNCTION "audit"."report"(actor text, client text, action text, target text, details jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF report.action IN ('denied', 'topic_dropped', 'projection_dropped', 'projection_rebuild') THEN
		RETURN audit.append(report.actor, report.client, report.action, report.target, report.details);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'only functions write such an entry';
END $$;--> statement-breakpoint
-- There are at most so many keys that are neither revoked nor expired: gateways look at those in use every few seconds.
CREATE FUNCTION "access"."has_room"() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT count(*) < 10000 FROM access.keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
$$;--> statement-breakpoint
-- Until when the actor may do what it does, with its key's row locked until COMMIT: a key that is revoked meanwhile has
-- done it before, or does not do it. 'infinity' for what does not end, NULL for what has ended. Who is no key (a token, the
-- program that makes the first key) has the end that the caller names. A key that is to be changed is locked with it, in
-- the order of ids, so that two that change each other do not block each other. FOR UPDATE also for the actor: those who
-- wait for it have their turn in order, and a crowd that shared its lock would keep a revocation waiting for ever.
CREATE FUNCTION "access"."hold"(actor text, until timestamptz, target text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own access.keys;
	ends timestamptz := coalesce(until, 'infinity');
BEGIN
	PERFORM FROM access.keys k WHERE k.id IN (actor, target) ORDER BY k.id COLLATE "C" FOR UPDATE;
	IF actor ~ '^[0-9A-Za-z]{12}$' THEN
		SELECT * INTO own FROM access.keys k WHERE k.id = actor;
		IF NOT FOUND OR own.revoked_at IS NOT NULL THEN RETURN NULL; END IF;
		ends := least(ends, own.expires_at);
	END IF;
	RETURN CASE WHEN ends > clock_timestamp() THEN ends END;
END $$;--> statement-breakpoint
-- "until" is when the actor ends, if that is in no row of its own.
CREATE FUNCTION "access"."create_key"(id text, name text, hash bytea, scopes text[], topics text[], source text,
	events_per_second bigint, bytes_per_second bigint, expires_at timestamptz, actor text, client text, until timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ends CONSTANT timestamptz := access.hold(create_key.actor, create_key.until, NULL);
BEGIN
	IF ends IS NULL THEN RETURN 'actor_ended'; END IF;
	IF coalesce(create_key.expires_at, 'infinity') > ends THEN RETURN 'beyond_actor'; END IF;
	IF NOT access.has_room() THEN RETURN 'too_many'; END IF;
	INSERT INTO access.keys (id, name, hash, scopes, topics, source, events_per_second, bytes_per_second, created_by,
		expires_at)
	VALUES (create_key.id, create_key.name, create_key.hash, create_key.scopes, create_key.topics, create_key.source,
		create_key.events_per_second, create_key.bytes_per_second, create_key.actor, create_key.expires_at);
	PERFORM audit.append(create_key.actor, create_key.client, 'key_created', create_key.id, jsonb_strip_nulls(
		jsonb_build_object('name', create_key.name, 'scopes', create_key.scopes, 'topics', create_key.topics,
		'source', create_key.source, 'expires_at', create_key.expires_at)));
	RETURN 'created';
END $$;--> statement-breakpoint
-- A key that may do the same, and lives as long as the old one was to live, but not beyond the actor's end, takes the old
-- one's place; the old one goes on working for a while. One that has a successor already has had its turn. No time of ours
-- is later than the year 9999. Who finds the old one being changed for 2 s does not wait on, until statements time out.
CREATE FUNCTION "access"."rotate_key"(old_id text, new_id text, new_hash bytea, old_expires_in interval, actor text,
	client text, until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old access.keys;
	old_expires timestamptz;
	new_expires timestamptz;
	ends timestamptz;
	usual CONSTANT text := current_setting('lock_timeout');
BEGIN
	BEGIN
		PERFORM set_config('lock_timeout', '2s', true);
		ends := access.hold(rotate_key.actor, rotate_key.until, old_id);
		PERFORM set_config('lock_timeout', usual, true);
	EXCEPTION WHEN lock_not_available THEN RETURN 'busy';
	END;
	IF ends IS NULL THEN RETURN 'actor_ended'; END IF;
	SELECT * INTO old FROM access.keys k WHERE k.id = old_id;
	IF NOT FOUND THEN RETURN 'unknown'; END IF;
	IF old.revoked_at IS NOT NULL OR old.expires_at <= clock_timestamp() THEN RETURN 'ended'; END IF;
	IF old.successor IS NOT NULL THEN RETURN 'succeeded'; END IF;
	IF coalesce(old.expires_at, 'infinity') > ends THEN RETURN 'beyond_actor'; END IF;
	IF NOT access.has_room() THEN RETURN 'too_many'; END IF;
	old_expires := least(old.expires_at, now() + old_expires_in);
	-- least() passes over NULL, which is no end at all.
	IF old.expires_at IS NOT NULL THEN
		new_expires := least(now() + (old.expires_at - old.created_at), ends,
			timestamptz '9999-12-31 23:59:59.999999+00');
	END IF;
	INSERT INTO access.keys (id, name, hash, scopes, topics, source, events_per_second, bytes_per_second, created_by,
		expires_at)
	VALUES (new_id, old.name, new_hash, old.scopes, old.topics, old.source, old.events_per_second,
		old.bytes_per_second, rotate_key.actor, new_expires);
	UPDATE access.keys k SET expires_at = old_expires, successor = new_id WHERE k.id = old_id;
	PERFORM audit.append(rotate_key.actor, rotate_key.client, 'key_rotated', old_id,
		jsonb_build_object('name', old.name, 'successor', new_id, 'expires_at', old_expires));
	RETURN 'rotated';
END $$;--> statement-breakpoint
CREATE FUNCTION "access"."revoke_key"(unwanted text, actor text, client text, until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ends CONSTANT timestamptz := access.hold(revoke_key.actor, revoke_key.until, unwanted);
	old access.keys;
BEGIN
	IF ends IS NULL THEN RETURN 'actor_ended'; END IF;
	SELECT * INTO old FROM access.keys k WHERE k.id = unwanted;
	IF NOT FOUND THEN RETURN 'unknown'; END IF;
	IF old.revoked_at IS NOT NULL THEN RETURN 'revoked'; END IF;
	UPDATE access.keys k SET revoked_at = now() WHERE k.id = unwanted;
	PERFORM audit.append(revoke_key.actor, revoke_key.client, 'key_revoked', unwanted,
		jsonb_build_object('name', old.name));
	RETURN 'revoked';
END $$;--> statement-breakpoint
-- In the order of ids, so that gateways which note the same keys at once wait for each other and do not block each other.
-- A use to come is one now: a wrong clock must not hide later uses.
CREATE FUNCTION "access"."note_uses"(ids text[], uses timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	used record;
BEGIN
	FOR used IN
		SELECT u.id, least(max(u.at), now()) AS at FROM unnest(ids, uses) u (id, at) GROUP BY u.id
		ORDER BY u.id COLLATE "C"
	LOOP
		UPDATE access.keys k SET last_used_at = used.at
		WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at);
	END LOOP;
END $$;--> statement-breakpoint
-- Functions of before, likewise: without pg_temp as the last of its path, a caller's temporary types are found first.
ALTER FUNCTION "drop_topic"(text) SET search_path = pg_catalog, pg_temp;--> statement-breakpoint
ALTER FUNCTION "projections"."request_rebuild"(text) SET search_path = pg_catalog, pg_temp;--> statement-breakpoint
ALTER FUNCTION "projections"."drop_projection"(text, interval) SET search_path = pg_catalog, pg_temp;
--> statement-breakpoint
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "access", "audit" FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	dropper text;
	part text;
	command text;
BEGIN
	-- Who may drop a topic has to say so.
	FOR dropper IN
		SELECT DISTINCT r.rolname
		FROM pg_proc f CROSS JOIN LATERAL aclexplode(f.proacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE f.oid = 'public.drop_topic(text)'::regprocedure AND a.privilege_type = 'EXECUTE' AND a.grantee <> f.proowner
	LOOP
		EXECUTE format('GRANT USAGE ON SCHEMA audit TO %I', dropper);
		EXECUTE format('GRANT EXECUTE ON FUNCTION audit.report(text, text, text, text, jsonb) TO %I', dropper);
	END LOOP;
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		GRANT USAGE ON SCHEMA access, audit TO sekali_gateway;
		GRANT SELECT ON access.keys, audit.entries TO sekali_gateway;
		GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA access, audit TO sekali_gateway;
		REVOKE EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb),
			access.hold(text, timestamptz, text) FROM sekali_gateway;
	END IF;
	-- Whom the default privileges of roles.sql give every table.
	FOREACH part IN ARRAY ARRAY['consumer', 'projector'] LOOP
		CONTINUE WHEN to_regrole('sekali_' || part) IS NULL;
		EXECUTE format('REVOKE ALL ON access.keys, audit.entries FROM %I', 'sekali_' || part);
	END LOOP;
	-- Without roles.sql everything is its maker's; where it is run later, it does the same as this.
	IF to_regrole('sekali_access') IS NULL OR to_regrole('sekali_audit') IS NULL
		OR NOT pg_has_role('sekali_access', 'MEMBER') OR NOT pg_has_role('sekali_audit', 'MEMBER') THEN RETURN;
	END IF;
	GRANT USAGE ON SCHEMA audit TO sekali_access;
	GRANT EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb) TO sekali_access;
	FOREACH part IN ARRAY ARRAY['access', 'audit'] LOOP
		EXECUTE format('ALTER SCHEMA %I OWNER TO %I', part, 'sekali_' || part);
		FOR command IN
			SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, 'sekali_' || part)
			FROM pg_class c WHERE c.relnamespace = part::regnamespace AND c.relkind = 'r' AND c.relowner = current_user::regrole
			UNION ALL
			SELECT format('ALTER FUNCTION %s OWNER TO %I', f.oid::regprocedure, 'sekali_' || part)
			FROM pg_proc f WHERE f.pronamespace = part::regnamespace AND f.proowner = current_user::regrole
		LOOP
			EXECUTE command;
		END LOOP;
	END LOOP;
END $$;
