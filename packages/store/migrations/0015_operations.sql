-- What is done about dead letters and conflicts, in a schema and with a role of its own, as keys and the audit log are: the
-- gateway reads, and what it changes it changes by these functions. The letters' own tables are the consumers', and never
-- change: a letter is open as long as it is not settled here.
CREATE SCHEMA IF NOT EXISTS "operations";
--> statement-breakpoint
CREATE TABLE "operations"."operations" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "operations"."operations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"filter" jsonb NOT NULL,
	"as_of" bigint NOT NULL,
	"rate" integer NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	"matched" bigint NOT NULL,
	"done" bigint DEFAULT 0 NOT NULL,
	"outcomes" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"checkpoint" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT now() NOT NULL,
	"created_by" text NOT NULL,
	"client" text,
	"finished_at" timestamp(6) with time zone,
	"error" text,
	"lease_holder" text,
	"lease_until" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "operations"."settled" (
	"kind" text NOT NULL,
	"letter" bigint NOT NULL,
	"became" text NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"by" text NOT NULL,
	"operation" bigint,
	"reason" text,
	"event_id" text,
	CONSTRAINT "settled_kind_letter_pk" PRIMARY KEY("kind","letter")
);
--> statement-breakpoint
CREATE INDEX "operations_running" ON "operations"."operations" USING btree ("id") WHERE state = 'running';--> statement-breakpoint
-- The open letters that a redrive is about, of those behind `after` up to `as_of`. With the rights of who asks, for all
-- these may read. Stubs are not among them: there is nothing to redrive.
CREATE FUNCTION "operations"."redrivable"(filter jsonb, topics text, after bigint, as_of bigint)
RETURNS SETOF "public"."dead_letters" LANGUAGE sql STABLE AS $$
	SELECT d.* FROM public.dead_letters d
	WHERE d.id > after AND d.id <= as_of AND d.fields IS NOT NULL
		AND d.topic_id IN (SELECT t.id FROM public.topics t WHERE t.name ~ topics)
		AND (filter ->> 'reason' IS NULL OR d.reason = filter ->> 'reason')
		AND (filter ->> 'from' IS NULL OR d.received_at >= (filter ->> 'from')::timestamptz)
		AND (filter ->> 'to' IS NULL OR d.received_at < (filter ->> 'to')::timestamptz)
		AND (filter ->> 'id' IS NULL OR d.id = (filter ->> 'id')::bigint)
		AND NOT EXISTS (SELECT FROM operations.settled s WHERE s.kind = 'entry' AND s.letter = d.id)
$$;--> statement-breakpoint
-- Begins a redrive, if there are as many letters as are expected. What comes later than today's last letter is never in it.
CREATE FUNCTION "operations"."start_redrive"(filter jsonb, topics text, as_of bigint, expect bigint, rate integer,
	actor text, client text, OUT outcome text, OUT id bigint, OUT matched bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last bigint;
BEGIN
	IF (SELECT count(*) FROM operations.operations o WHERE o.state = 'running') >= 16 THEN
		outcome := 'too_many';
		RETURN;
	END IF;
	SELECT least(start_redrive.as_of, max(d.id)) INTO last FROM public.dead_letters d;
	SELECT count(*) INTO matched FROM operations.redrivable(start_redrive.filter, start_redrive.topics, 0, last);
	IF matched <> start_redrive.expect THEN
		outcome := 'count_changed';
		RETURN;
	END IF;
	INSERT INTO operations.operations AS o (kind, filter, as_of, rate, matched, created_by, client)
	VALUES ('redrive', start_redrive.filter, coalesce(last, 0), start_redrive.rate, start_redrive.matched,
		start_redrive.actor, start_redrive.client)
	RETURNING o.id INTO id;
	outcome := 'started';
	PERFORM audit.append(start_redrive.actor, start_redrive.client, 'redrive_started', id::text,
		jsonb_build_object('filter', start_redrive.filter, 'matched', start_redrive.matched));
END $$;--> statement-breakpoint
-- Gives one that runs and that nobody has the lease of, with a lease. Who does not renew it in time has left, or hangs.
CREATE FUNCTION "operations"."claim"(holder text, lease interval) RETURNS SETOF "operations"."operations"
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE operations.operations o SET lease_holder = holder, lease_until = clock_timestamp() + lease
	WHERE o.id = (
		SELECT r.id FROM operations.operations r
		WHERE r.state = 'running' AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
		ORDER BY r.id LIMIT 1 FOR UPDATE SKIP LOCKED
	)
	RETURNING o.*
$$;--> statement-breakpoint
-- Locks the operation until COMMIT, and tells whether it still runs with this lease.
CREATE FUNCTION "operations"."renew"(operation bigint, holder text, lease interval) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE operations.operations o SET lease_until = clock_timestamp() + lease
	WHERE o.id = operation AND o.state = 'running' AND o.lease_holder = holder;
	RETURN FOUND;
END $$;--> statement-breakpoint
-- Gives a lease back, for others to go on at once.
CREATE FUNCTION "operations"."release"(operation bigint, holder text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE operations.operations o SET lease_until = NULL, lease_holder = NULL
	WHERE o.id = operation AND o.lease_holder = holder
$$;--> statement-breakpoint
-- Marks letters as redriven, and gives those that nobody has settled before: whoever else is about to waits for our COMMIT.
-- They are appended before that. Call renew first, in the same transaction.
CREATE FUNCTION "operations"."take"(operation bigint, letters bigint[]) RETURNS bigint[]
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	WITH taken AS (
		INSERT INTO operations.settled (kind, letter, became, by, operation)
		SELECT 'entry', l.id, 'redriven', o.created_by, o.id
		FROM operations.operations o, unnest(letters) l (id)
		WHERE o.id = take.operation AND o.state = 'running'
		ORDER BY l.id
		ON CONFLICT DO NOTHING
		RETURNING letter
	)
	SELECT coalesce(array_agg(letter ORDER BY letter), '{}') FROM taken
$$;--> statement-breakpoint
-- Notes how far it has come, and what came of the letters on the way.
CREATE FUNCTION "operations"."advance"(operation bigint, holder text, checkpoint bigint, outcomes jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE operations.operations o
	SET checkpoint = advance.checkpoint,
		done = o.done + (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(advance.outcomes)),
		outcomes = o.outcomes || (
			SELECT coalesce(jsonb_object_agg(key, coalesce((o.outcomes ->> key)::bigint, 0) + value::bigint), '{}')
			FROM jsonb_each_text(advance.outcomes)
		)
	WHERE o.id = operation AND o.lease_holder = holder AND o.state = 'running'
$$;--> statement-breakpoint
CREATE FUNCTION "operations"."finish"(operation bigint, holder text, error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ended operations.operations;
BEGIN
	UPDATE operations.operations o
	SET state = CASE WHEN finish.error IS NULL THEN 'done' ELSE 'failed' END, error = finish.error, finished_at = now(),
		lease_holder = NULL, lease_until = NULL
	WHERE o.id = operation AND o.lease_holder = holder AND o.state = 'running'
	RETURNING o.* INTO ended;
	IF NOT FOUND THEN RETURN; END IF;
	PERFORM audit.append(ended.created_by, ended.client, ended.kind || '_' || ended.state, operation::text,
		jsonb_build_object('done', ended.done, 'outcomes', ended.outcomes));
END $$;--> statement-breakpoint
CREATE FUNCTION "operations"."cancel"(operation bigint, actor text, client text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ended operations.operations;
BEGIN
	SELECT * INTO ended FROM operations.operations o WHERE o.id = operation FOR UPDATE;
	IF NOT FOUND THEN RETURN 'unknown'; END IF;
	IF ended.state = 'cancelled' THEN RETURN 'cancelled'; END IF;
	IF ended.state <> 'running' THEN RETURN 'over'; END IF;
	UPDATE operations.operations o
	SET state = 'cancelled', finished_at = now(), lease_holder = NULL, lease_until = NULL WHERE o.id = operation;
	PERFORM audit.append(actor, client, ended.kind || '_cancelled', operation::text,
		jsonb_build_object('done', ended.done, 'matched', ended.matched));
	RETURN 'cancelled';
END $$;--> statement-breakpoint
-- Nobody else settles this conflict before COMMIT.
CREATE FUNCTION "operations"."hold"(letter bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('sekali.conflict.' || letter, 0));
	IF EXISTS (SELECT FROM operations.settled s WHERE s.kind = 'conflict' AND s.letter = hold.letter) THEN
		RETURN 'settled';
	END IF;
	IF EXISTS (SELECT FROM public.conflicts c WHERE c.id = hold.letter) THEN RETURN 'open'; END IF;
	RETURN 'unknown';
END $$;--> statement-breakpoint
-- Marks a conflict as published under another event id, which it is by then. Call hold first, in the same transaction.
CREATE FUNCTION "operations"."publish_as"(letter bigint, event_id text, actor text, client text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	held text := operations.hold(letter);
BEGIN
	IF held <> 'open' THEN RETURN held; END IF;
	INSERT INTO operations.settled (kind, letter, became, by, event_id)
	VALUES ('conflict', publish_as.letter, 'published_as', publish_as.actor, publish_as.event_id);
	PERFORM audit.append(publish_as.actor, publish_as.client, 'letter_published_as', 'c-' || publish_as.letter,
		jsonb_build_object('event_id', publish_as.event_id));
	RETURN 'published_as';
END $$;--> statement-breakpoint
CREATE FUNCTION "operations"."discard"(kind text, letter bigint, reason text, actor text, client text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	held text;
BEGIN
	IF discard.kind = 'conflict' THEN
		held := operations.hold(discard.letter);
		IF held <> 'open' THEN RETURN held; END IF;
	ELSIF NOT EXISTS (SELECT FROM public.dead_letters d WHERE d.id = discard.letter) THEN
		RETURN 'unknown';
	END IF;
	INSERT INTO operations.settled (kind, letter, became, by, reason)
	VALUES (discard.kind, discard.letter, 'discarded', discard.actor, discard.reason)
	ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN RETURN 'settled'; END IF;
	PERFORM audit.append(discard.actor, discard.client, 'letter_discarded',
		CASE discard.kind WHEN 'conflict' THEN 'c-' ELSE 'e-' END || discard.letter,
		jsonb_build_object('reason', discard.reason));
	RETURN 'discarded';
END $$;--> statement-breakpoint
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "operations" FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	part text;
	command text;
BEGIN
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		GRANT USAGE ON SCHEMA operations TO sekali_gateway;
		GRANT SELECT ON ALL TABLES IN SCHEMA operations TO sekali_gateway;
		GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA operations TO sekali_gateway;
	END IF;
	-- Whom the default privileges of roles.sql give every table.
	FOREACH part IN ARRAY ARRAY['consumer', 'projector'] LOOP
		CONTINUE WHEN to_regrole('sekali_' || part) IS NULL;
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA operations FROM %I', 'sekali_' || part);
	END LOOP;
	-- Without roles.sql everything is its maker's; where it is run later, it does the same as this.
	IF to_regrole('sekali_operations') IS NULL OR NOT pg_has_role('sekali_operations', 'MEMBER') THEN RETURN; END IF;
	GRANT USAGE ON SCHEMA public, audit TO sekali_operations;
	GRANT EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb) TO sekali_operations;
	GRANT SELECT ON public.topics, public.dead_letters, public.conflicts TO sekali_operations;
	ALTER SCHEMA operations OWNER TO sekali_operations;
	FOR command IN
		SELECT format('ALTER TABLE %s OWNER TO sekali_operations', c.oid::regclass)
		FROM pg_class c WHERE c.relnamespace = 'operations'::regnamespace AND c.relkind = 'r'
			AND c.relowner = current_user::regrole
		UNION ALL
		SELECT format('ALTER FUNCTION %s OWNER TO sekali_operations', f.oid::regprocedure)
		FROM pg_proc f WHERE f.pronamespace = 'operations'::regnamespace AND f.proowner = current_user::regrole
	LOOP
		EXECUTE command;
	END LOOP;
END $$;
