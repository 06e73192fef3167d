-- An operation ends with the key, or the token, of whoever began it: nobody acts with what was taken from them.
ALTER TABLE "operations"."operations" ADD COLUMN "actor_until" timestamp(6) with time zone;--> statement-breakpoint
-- As hold(), without its lock: a step of an operation appends to Redis before it commits, and a revocation must wait for
-- neither. A step that began before the revocation may so commit after it; the next one does not begin.
CREATE FUNCTION "access"."has_ended"(actor text, until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT coalesce(has_ended.until <= clock_timestamp(), false) OR (
		has_ended.actor ~ '^[0-9A-Za-z]{12}$' AND NOT EXISTS (
			SELECT FROM access.keys k WHERE k.id = has_ended.actor AND k.revoked_at IS NULL
				AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp())
		)
	)
$$;--> statement-breakpoint
-- The one of before, with when the actor ends if that is in no row of its own. Processes of the previous version call
-- that one, which begins nothing for an actor that has ended either: they say that too many run.
CREATE FUNCTION "operations"."start_redrive"(filter jsonb, topics text, as_of bigint, expect bigint, rate integer,
	actor text, client text, until timestamptz, OUT outcome text, OUT id bigint, OUT matched bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last bigint;
BEGIN
	IF access.hold(start_redrive.actor, start_redrive.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
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
	INSERT INTO operations.operations AS o (kind, filter, as_of, rate, matched, created_by, client, actor_until)
	VALUES ('redrive', start_redrive.filter, coalesce(last, 0), start_redrive.rate, start_redrive.matched,
		start_redrive.actor, start_redrive.client, start_redrive.until)
	RETURNING o.id INTO id;
	outcome := 'started';
	PERFORM audit.append(start_redrive.actor, start_redrive.client, 'redrive_started', id::text,
		jsonb_build_object('filter', start_redrive.filter, 'matched', start_redrive.matched));
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "operations"."start_redrive"(filter jsonb, topics text, as_of bigint, expect bigint,
	rate integer, actor text, client text, OUT outcome text, OUT id bigint, OUT matched bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT * FROM operations.start_redrive(start_redrive.filter, start_redrive.topics, start_redrive.as_of,
		start_redrive.expect, start_redrive.rate, start_redrive.actor, start_redrive.client, NULL)
$$;--> statement-breakpoint
-- Begins a step: locks the operation until COMMIT. `lost`: it does not run with this lease any more. `actor_ended`: it
-- must not go on, and its holder may finish it with the reason.
CREATE FUNCTION "operations"."begin_step"(operation bigint, holder text, lease interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT operations.renew(begin_step.operation, begin_step.holder, begin_step.lease) THEN RETURN 'lost'; END IF;
	IF (SELECT access.has_ended(o.created_by, o.actor_until) FROM operations.operations o
		WHERE o.id = begin_step.operation) THEN RETURN 'actor_ended'; END IF;
	RETURN 'ours';
END $$;--> statement-breakpoint
-- As before, and the audit log says why it failed: its reason may be that the actor may do nothing any more.
CREATE OR REPLACE FUNCTION "operations"."finish"(operation bigint, holder text, error text) RETURNS void
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
		jsonb_strip_nulls(jsonb_build_object('done', ended.done, 'outcomes', ended.outcomes, 'error', ended.error)));
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "access"."has_ended"(text, timestamptz),
	"operations"."start_redrive"(jsonb, text, bigint, bigint, integer, text, text, timestamptz),
	"operations"."begin_step"(bigint, text, interval) FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	command text;
BEGIN
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		REVOKE EXECUTE ON FUNCTION access.has_ended(text, timestamptz) FROM sekali_gateway;
		GRANT EXECUTE ON FUNCTION
			operations.start_redrive(jsonb, text, bigint, bigint, integer, text, text, timestamptz),
			operations.begin_step(bigint, text, interval) TO sekali_gateway;
	END IF;
	-- Without roles.sql everything is its maker's; where it is run later, it does the same as this.
	IF to_regrole('sekali_operations') IS NULL OR NOT pg_has_role('sekali_operations', 'MEMBER') THEN RETURN; END IF;
	GRANT USAGE ON SCHEMA access TO sekali_operations;
	GRANT EXECUTE ON FUNCTION access.hold(text, timestamptz, text), access.has_ended(text, timestamptz)
		TO sekali_operations;
	FOR command IN
		SELECT format('ALTER FUNCTION %s OWNER TO %I', f.oid::regprocedure, 'sekali_' || n.nspname)
		FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
		WHERE n.nspname IN ('access', 'operations') AND f.proowner = current_user::regrole
			AND to_regrole('sekali_' || n.nspname) IS NOT NULL
	LOOP
		EXECUTE command;
	END LOOP;
END $$;
