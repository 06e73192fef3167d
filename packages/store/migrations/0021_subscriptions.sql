-- Subscriptions: who works a log off, and how far. A schema and a role of their own, as keys, the audit log and operations have:
-- the gateway reads, and what it changes it changes by these functions. A floor and exceptions, never a row per event: ADR 47.
-- The schema "sekali" has what others than Sekali may be allowed to call.
CREATE SCHEMA IF NOT EXISTS "subscriptions";
--> statement-breakpoint
CREATE SCHEMA IF NOT EXISTS "sekali";
--> statement-breakpoint
CREATE TABLE "subscriptions"."cursors" (
	"revision" bigint NOT NULL,
	"floor" bigint NOT NULL,
	"cursor" bigint NOT NULL,
	"subscription" integer NOT NULL,
	"topic_id" integer NOT NULL,
	"epoch" integer NOT NULL,
	"last_exception" bigint DEFAULT 0 NOT NULL,
	"waiting" "int8multirange" DEFAULT '{}' NOT NULL,
	"live" bigint[] DEFAULT '{}' NOT NULL,
	CONSTRAINT "cursors_subscription_topic_id_revision_pk" PRIMARY KEY("subscription","topic_id","revision")
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."dead" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."dead_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"seq" bigint NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"subscription" integer NOT NULL,
	"topic_id" integer NOT NULL,
	"epoch" integer NOT NULL,
	"attempts" integer NOT NULL,
	"reason" text NOT NULL,
	"source" text NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"settled_at" timestamp(6) with time zone,
	"settled_by" text,
	"settled_reason" text
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."exceptions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."exceptions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"since" timestamp(6) with time zone NOT NULL,
	"due_at" timestamp(6) with time zone NOT NULL,
	"subscription" integer NOT NULL,
	"topic_id" integer NOT NULL,
	"epoch" integer NOT NULL,
	"attempt" integer NOT NULL,
	"size" integer NOT NULL,
	"leased" boolean NOT NULL,
	"redriven" boolean DEFAULT false NOT NULL,
	"grant_id" uuid,
	"open" "int8multirange" NOT NULL,
	"priors" uuid[] DEFAULT '{}' NOT NULL,
	"worker" text,
	"sources" text[]
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."outages" (
	"began_at" timestamp(6) with time zone PRIMARY KEY NOT NULL,
	"ended_at" timestamp(6) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."heartbeat" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"at" timestamp(6) with time zone NOT NULL,
	"started_at" timestamp(6) with time zone NOT NULL,
	CONSTRAINT "heartbeat_only" CHECK ("subscriptions"."heartbeat"."only")
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."members" (
	"subscription" integer NOT NULL,
	"topic_id" integer NOT NULL,
	"name" text NOT NULL,
	CONSTRAINT "members_subscription_topic_id_pk" PRIMARY KEY("subscription","topic_id")
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."states" (
	"revision" bigint NOT NULL,
	"horizon" timestamp(6) with time zone NOT NULL,
	"subscription" integer NOT NULL,
	"outstanding" integer NOT NULL,
	"waiting" integer NOT NULL,
	"topics_up_to" integer NOT NULL,
	CONSTRAINT "states_subscription_revision_pk" PRIMARY KEY("subscription","revision")
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."subscriptions" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."subscriptions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"kind" text DEFAULT 'pull' NOT NULL,
	"topics" text NOT NULL,
	"topics_match" text NOT NULL,
	"ordering" text NOT NULL,
	"filter" json NOT NULL,
	"filter_sources" text[],
	"filter_payload" jsonb,
	"source_batch" integer NOT NULL,
	"lease_s" integer NOT NULL,
	"outstanding_max" integer NOT NULL,
	"deliveries_max" integer NOT NULL,
	"backoff_s" integer[] NOT NULL,
	"on_exhausted" text NOT NULL,
	"state" text DEFAULT 'active' NOT NULL,
	"generation" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"created_by" text NOT NULL,
	"changed_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "subscriptions_name_unique" UNIQUE("name"),
	CONSTRAINT "subscriptions_words" CHECK ("subscriptions"."subscriptions"."kind" = 'pull' AND "subscriptions"."subscriptions"."ordering" IN ('none', 'source', 'topic')
    AND "subscriptions"."subscriptions"."on_exhausted" IN ('skip', 'block') AND "subscriptions"."subscriptions"."state" IN ('active', 'paused')),
	CONSTRAINT "subscriptions_limits" CHECK ("subscriptions"."subscriptions"."lease_s" BETWEEN 1 AND 3600 AND "subscriptions"."subscriptions"."outstanding_max" BETWEEN 1 AND 10000
    AND "subscriptions"."subscriptions"."deliveries_max" BETWEEN 1 AND 1000 AND "subscriptions"."subscriptions"."source_batch" BETWEEN 1 AND 1000
    AND cardinality("subscriptions"."subscriptions"."backoff_s") <= 20 AND 0 <= ALL ("subscriptions"."subscriptions"."backoff_s") AND 86400 >= ALL ("subscriptions"."subscriptions"."backoff_s"))
);
--> statement-breakpoint
CREATE INDEX "dead_of" ON "subscriptions"."dead" USING btree ("subscription","id");--> statement-breakpoint
CREATE INDEX "dead_open" ON "subscriptions"."dead" USING btree ("subscription","topic_id") WHERE state = 'open';--> statement-breakpoint
CREATE INDEX "exceptions_due" ON "subscriptions"."exceptions" USING btree ("subscription","due_at","id");--> statement-breakpoint
CREATE INDEX "exceptions_grant" ON "subscriptions"."exceptions" USING btree ("grant_id");--> statement-breakpoint
CREATE INDEX "exceptions_open" ON "subscriptions"."exceptions" USING btree ("subscription","topic_id",lower(open)) WHERE NOT redriven;--> statement-breakpoint
CREATE INDEX "exceptions_newest" ON "subscriptions"."exceptions" USING btree ("subscription","topic_id","id");--> statement-breakpoint
-- One row: when anybody last knew that PostgreSQL answers.
INSERT INTO "subscriptions"."heartbeat" (at, started_at) VALUES (clock_timestamp(), pg_postmaster_start_time());
--> statement-breakpoint
-- Keys may be for workers alone. Those that there are keep their scopes.
ALTER TABLE "access"."keys" DROP CONSTRAINT "keys_scopes";
--> statement-breakpoint
ALTER TABLE "access"."keys" ADD CONSTRAINT "keys_scopes" CHECK ("access"."keys"."scopes" <@ ARRAY['publish', 'read', 'work', 'admin']);
--> statement-breakpoint
-- A row of what is pulled: an event, or as the last row what there is to say beside them, as JSON in place of a payload.
CREATE TYPE "subscriptions"."item" AS (topic_id integer, topic text, epoch integer, seq bigint, attempt integer,
	event_id text, "timestamp" text, source text, payload text, received_at text, stored_at text);
--> statement-breakpoint
-- How many seqs there are in ranges that have ends.
CREATE FUNCTION "subscriptions"."count_in"(seqs int8multirange) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(sum(upper(r) - lower(r)), 0)::integer FROM unnest(seqs) r
$$;--> statement-breakpoint
-- The first events of some seqs, in their order: ranges come in order, and the index has the rest. A limit inside, so that
-- nobody reads a log to its end where PostgreSQL makes no part of the query of this.
CREATE FUNCTION "subscriptions"."events_of"(topic_id integer, topic text, epoch integer, attempt integer,
	seqs int8multirange, max_events integer) RETURNS SETOF "subscriptions"."item" LANGUAGE sql STABLE AS $$
	SELECT $1, $2, $3, e.seq, $4, e.event_id, e."timestamp"::text, e.source, e.payload::text, e.received_at::text,
		e.stored_at::text
	FROM unnest($5) r CROSS JOIN LATERAL (
		SELECT * FROM public.events v
		WHERE v.topic_id = $1 AND v.seq >= coalesce(lower(r), 0) AND v.seq < coalesce(upper(r), 9223372036854775807)
		ORDER BY v.seq
	) e LIMIT $6
$$;--> statement-breakpoint
-- What of some seqs goes out: `given` events, whose payloads have `bytes`, and their sources where those are wanted. `stopped`:
-- there is more than may go out.
CREATE TYPE "subscriptions"."portion" AS (given int8multirange, events integer, bytes bigint, stopped boolean, sources text[]);
--> statement-breakpoint
-- The first rows of some seqs, in their order, and how many bytes the payload of each has.
CREATE FUNCTION "subscriptions"."sizes_of"(topic integer, seqs int8multirange, max_rows integer)
RETURNS TABLE (seq bigint, source text, bytes integer) LANGUAGE sql STABLE AS $$
	SELECT v.seq, v.source, octet_length(v.payload::text)
	FROM unnest($2) r CROSS JOIN LATERAL (
		SELECT * FROM public.events w
		WHERE w.topic_id = $1 AND w.seq >= coalesce(lower(r), 0) AND w.seq < coalesce(upper(r), 9223372036854775807)
		ORDER BY w.seq
	) v LIMIT $3
$$;--> statement-breakpoint
-- The first events of some seqs, as many as may be, and perhaps one in any case. By parts that grow: many small events are two
-- statements, and of large ones few are read in vain.
CREATE FUNCTION "subscriptions"."take"(topic integer, seqs int8multirange, max_events integer, max_bytes bigint,
	at_least_one boolean, with_sources boolean) RETURNS "subscriptions"."portion" LANGUAGE plpgsql STABLE AS $$
DECLARE
	taken subscriptions.portion;
	part record;
	part_max integer := 64;
	beyond int8multirange := take.seqs;
BEGIN
	taken.given := '{}';
	taken.events := 0;
	taken.bytes := 0;
	taken.sources := '{}';
	LOOP
		part_max := least(part_max, max_events - taken.events);
		taken.stopped := part_max <= 0;
		EXIT WHEN taken.stopped;
		SELECT count(*)::integer AS found, count(*)::integer AS events, min(e.seq) AS first, max(e.seq) AS last,
			sum(e.bytes) AS bytes, array_agg(e.source) FILTER (WHERE with_sources) AS sources
		INTO part FROM subscriptions.sizes_of(topic, beyond, part_max) e;
		-- Seldom: nearly always all of them fit, and sums up to each row take as long as all the rest of this.
		IF part.bytes + taken.bytes > max_bytes THEN
			SELECT count(*)::integer AS found, count(*) FILTER (WHERE f.fits)::integer AS events,
				min(f.seq) AS first, max(f.seq) FILTER (WHERE f.fits) AS last, max(f.upto) FILTER (WHERE f.fits) AS bytes,
				array_agg(f.source) FILTER (WHERE f.fits AND with_sources) AS sources
			INTO part
			FROM (
				SELECT n.seq, n.source, n.upto, n.upto + taken.bytes <= max_bytes OR at_least_one AND n.nth + taken.events = 1 AS fits
				FROM (
					SELECT e.seq, e.source, sum(e.bytes) OVER (ROWS UNBOUNDED PRECEDING) AS upto,
						row_number() OVER (ROWS UNBOUNDED PRECEDING) AS nth
					FROM subscriptions.sizes_of(topic, beyond, part_max) e
				) n
			) f;
		END IF;
		EXIT WHEN part.found = 0;
		IF part.events > 0 THEN
			taken.given := taken.given + beyond * int8multirange(int8range(part.first, part.last, '[]'));
			taken.events := taken.events + part.events;
			taken.bytes := taken.bytes + part.bytes;
			IF with_sources THEN
				taken.sources := ARRAY(SELECT unnest(taken.sources) UNION SELECT unnest(part.sources));
			END IF;
		END IF;
		taken.stopped := part.events < part.found;
		EXIT WHEN taken.stopped OR part.found < part_max;
		beyond := beyond * int8multirange(int8range(part.last, NULL, '()'));
		part_max := 512;
	END LOOP;
	-- Rows that somebody has deleted are not given.
	IF subscriptions.count_in(taken.given) <> taken.events THEN
		SELECT range_agg(int8range(e.seq, e.seq + 1)) INTO taken.given FROM subscriptions.rows_of(topic, taken.given) e;
	END IF;
	RETURN taken;
END $$;--> statement-breakpoint
-- A time in UTC that is JSON of PostgreSQL's as all of ours are shown, with microseconds: it leaves out what is zero at the end.
-- to_char() takes twice as long.
CREATE FUNCTION "subscriptions"."shown"(json_time text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT replace(json_time, '+00:00', substr('.000000Z', octet_length(json_time) - 26))
$$;--> statement-breakpoint
-- Events as items of the answer to a pull, with commas between them, and how many there are. `token` is that of the grant.
CREATE FUNCTION "subscriptions"."items_of"(topic integer, name text, epoch integer, attempt integer, seqs int8multirange,
	token text, OUT events integer, OUT items text) LANGUAGE plpgsql STABLE AS $$
DECLARE
	head CONSTANT text := format('{"token":"%s.%s.%s.', token, topic, epoch);
	middle CONSTANT text := format('","attempt":%s,"event":{"topic":"%s","event_id":', attempt, name);
	tail CONSTANT text := CASE epoch WHEN 1 THEN '}}' ELSE format(',"epoch":%s}}', epoch) END;
BEGIN
	SELECT count(*), string_agg(concat(head, e.seq, middle, to_json(e.event_id), ',"timestamp":',
		subscriptions.shown(e."timestamp"), ',"source":', to_json(e.source), ',"payload":', e.payload, ',"seq":', e.seq,
		',"received_at":', subscriptions.shown(e.received_at), ',"stored_at":', subscriptions.shown(e.stored_at), tail), ',')
	INTO items_of.events, items_of.items
	FROM (
		SELECT v.seq, v.event_id, v.source, v.payload, to_json(v."timestamp")::text AS "timestamp",
			to_json(v.received_at)::text AS received_at, to_json(v.stored_at)::text AS stored_at
		FROM unnest(seqs) r CROSS JOIN LATERAL (
			SELECT * FROM public.events w
			WHERE w.topic_id = topic AND w.seq >= lower(r) AND w.seq < upper(r) ORDER BY w.seq
		) v OFFSET 0 -- each time is formed once
	) e;
END $$;--> statement-breakpoint
-- Seqs and sources of those of some events whose rows are there. One index lookup a range, whatever PostgreSQL takes the log for:
-- as a join it also read the whole topic once for each range.
CREATE FUNCTION "subscriptions"."rows_of"(topic integer, seqs int8multirange) RETURNS TABLE (seq bigint, source text)
LANGUAGE sql STABLE AS $$
	SELECT e.seq, e.source FROM unnest($2) r CROSS JOIN LATERAL (
		SELECT v.seq, v.source FROM public.events v
		WHERE v.topic_id = $1 AND v.seq >= lower(r) AND v.seq < upper(r) ORDER BY v.seq OFFSET 0
	) e
$$;--> statement-breakpoint
-- The sources of some events.
CREATE FUNCTION "subscriptions"."sources_of"(topic integer, seqs int8multirange) RETURNS text[] LANGUAGE sql STABLE AS $$
	SELECT array_agg(DISTINCT e.source) FROM subscriptions.rows_of(topic, seqs) e
$$;--> statement-breakpoint
-- How far a subscription is in a topic.
CREATE FUNCTION "subscriptions"."cursor_of"(subscription integer, topic integer) RETURNS SETOF "subscriptions"."cursors"
LANGUAGE sql STABLE ROWS 1 AS $$
	SELECT c.* FROM subscriptions.cursors c WHERE c.subscription = $1 AND c.topic_id = $2
	ORDER BY c.revision DESC LIMIT 1
$$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."state_of"(subscription integer) RETURNS SETOF "subscriptions"."states"
LANGUAGE sql STABLE ROWS 1 AS $$
	SELECT s.* FROM subscriptions.states s WHERE s.subscription = $1 ORDER BY s.revision DESC LIMIT 1
$$;--> statement-breakpoint
-- Up to where all is settled: before the first that is not. It is looked for from an earlier floor on, because a long snapshot
-- keeps what was settled since.
CREATE FUNCTION "subscriptions"."floor_of"(subscription integer, topic integer, was bigint, cursor bigint,
	waiting int8multirange) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT coalesce(least((
		SELECT lower(x.open) FROM subscriptions.exceptions x
		WHERE x.subscription = $1 AND x.topic_id = $2 AND NOT x.redriven AND lower(x.open) > was
		ORDER BY lower(x.open) LIMIT 1
	), lower(waiting)) - 1, cursor)
$$;--> statement-breakpoint
-- The exceptions of a topic, where order matters: those that were there when the cursor was written, by their ids, and those that
-- came later. What was settled before is not read again, however long a snapshot keeps it.
CREATE FUNCTION "subscriptions"."live_of"(c "subscriptions"."cursors") RETURNS SETOF "subscriptions"."exceptions"
LANGUAGE sql STABLE AS $$
	SELECT y.* FROM unnest(c.live) l (id) JOIN subscriptions.exceptions y ON y.id = l.id
	UNION ALL
	SELECT y.* FROM subscriptions.exceptions y
	WHERE y.subscription = c.subscription AND y.topic_id = c.topic_id AND y.id > c.last_exception
$$;--> statement-breakpoint
-- Notes how far a subscription is in a topic. Old revisions go by the dozen, and in a range that is short whatever a long
-- snapshot keeps of those that went before.
CREATE FUNCTION "subscriptions"."note_cursor"(was "subscriptions"."cursors", floor bigint, cursor bigint, epoch integer,
	waiting int8multirange, live bigint[], last_exception bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO subscriptions.cursors (subscription, topic_id, revision, epoch, floor, cursor, waiting, live, last_exception)
	VALUES (was.subscription, was.topic_id, was.revision + 1, note_cursor.epoch, note_cursor.floor, note_cursor.cursor,
		note_cursor.waiting, note_cursor.live, note_cursor.last_exception);
	IF (was.revision + 1) % 64 = 0 THEN
		DELETE FROM subscriptions.cursors c WHERE c.subscription = was.subscription AND c.topic_id = was.topic_id
			AND c.revision BETWEEN was.revision - 127 AND was.revision;
	END IF;
END $$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."note_state"(was "subscriptions"."states", horizon timestamptz, grew integer, waited integer,
	topics_up_to integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO subscriptions.states (subscription, revision, horizon, outstanding, waiting, topics_up_to)
	VALUES (was.subscription, was.revision + 1, note_state.horizon, was.outstanding + grew, was.waiting + waited,
		note_state.topics_up_to);
	IF (was.revision + 1) % 64 = 0 THEN
		DELETE FROM subscriptions.states s WHERE s.subscription = was.subscription
			AND s.revision BETWEEN was.revision - 127 AND was.revision;
	END IF;
END $$;--> statement-breakpoint
-- Who makes, changes or removes subscriptions does so one after the other; pulls and settles go on. Before the row's lock, as an
-- update wants a lock of the table that this one excludes.
CREATE FUNCTION "subscriptions"."lock_all"() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	LOCK TABLE subscriptions.subscriptions IN SHARE ROW EXCLUSIVE MODE;
END $$;--> statement-breakpoint
-- The turn of a subscription: nobody else hands out or settles in it before COMMIT. What waits for a lock must then see what its
-- holder committed, and so each statement needs a snapshot of its own.
CREATE FUNCTION "subscriptions"."lock_one"(wanted text) RETURNS "subscriptions"."subscriptions" LANGUAGE plpgsql AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
			MESSAGE = 'subscriptions are settled in transactions that are READ COMMITTED';
	END IF;
	SELECT * INTO sub FROM subscriptions.subscriptions s WHERE s.name = wanted FOR UPDATE;
	RETURN sub;
END $$;--> statement-breakpoint
-- Notes that PostgreSQL answers, if the last note is so old. Where nobody has noted it for 3 s, or PostgreSQL was started anew
-- since, there is an outage: nobody could have settled anything.
CREATE FUNCTION "subscriptions"."beat"(every interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	last subscriptions.heartbeat;
	clock timestamptz := clock_timestamp();
	started CONSTANT timestamptz := pg_postmaster_start_time();
BEGIN
	SELECT * INTO last FROM subscriptions.heartbeat;
	IF last.started_at = started AND clock - last.at <= interval '3 s' THEN
		IF clock - last.at BETWEEN interval '0' AND every THEN RETURN; END IF;
		-- One who notes it is enough, and nobody waits for that.
		PERFORM FROM subscriptions.heartbeat FOR UPDATE SKIP LOCKED;
		IF FOUND THEN UPDATE subscriptions.heartbeat h SET at = clock; END IF;
		RETURN;
	END IF;
	INSERT INTO subscriptions.heartbeat (at, started_at) VALUES (clock, started) ON CONFLICT DO NOTHING;
	SELECT * INTO last FROM subscriptions.heartbeat FOR UPDATE;
	clock := clock_timestamp();
	IF last.started_at <> started OR clock - last.at > interval '3 s' THEN
		DELETE FROM subscriptions.outages g WHERE g.ended_at < clock - interval '1 day';
		INSERT INTO subscriptions.outages (began_at, ended_at) VALUES (least(last.at, clock), clock) ON CONFLICT DO NOTHING;
		UPDATE subscriptions.heartbeat h SET at = clock, started_at = started;
	END IF;
END $$;--> statement-breakpoint
-- How much of a lease nobody could use: it runs so much longer.
CREATE FUNCTION "subscriptions"."stood_still"(since timestamptz, until timestamptz) RETURNS interval LANGUAGE plpgsql STABLE
AS $$
DECLARE
	outage subscriptions.outages;
	total interval := '0';
BEGIN
	FOR outage IN SELECT * FROM subscriptions.outages o WHERE o.ended_at > since ORDER BY o.began_at LOOP
		-- One that began when the lease had run out, earlier ones left out, is none of its business.
		EXIT WHEN outage.began_at >= until + total;
		total := total + (outage.ended_at - greatest(outage.began_at, since));
	END LOOP;
	RETURN total;
END $$;--> statement-breakpoint
-- Has topics join that the subscription has not looked at, with all their events, and gives the last topic's id. Ids may become
-- visible out of their order, so who has the time looks at some once more.
CREATE FUNCTION "subscriptions"."join_topics"(sub "subscriptions"."subscriptions", above integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	last integer;
BEGIN
	SELECT max(t.id) INTO last FROM public.topics t WHERE t.id > above;
	IF last IS NULL THEN RETURN above; END IF;
	WITH joined AS (
		INSERT INTO subscriptions.members (subscription, topic_id, name)
		SELECT sub.id, t.id, t.name FROM public.topics t
		WHERE t.id > above AND t.id <= last AND t.name ~ sub.topics_match
		ON CONFLICT DO NOTHING RETURNING topic_id
	)
	INSERT INTO subscriptions.cursors (subscription, topic_id, revision, epoch, floor, cursor)
	SELECT sub.id, t.id, 1, t.epoch, 0, 0 FROM joined j JOIN public.topics t ON t.id = j.topic_id;
	RETURN last;
END $$;--> statement-breakpoint
-- Makes dead letters of some of an exception's events. Those whose rows somebody has deleted are settled without.
CREATE FUNCTION "subscriptions"."give_up"(x "subscriptions"."exceptions", seqs int8multirange, reason text) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO subscriptions.dead (subscription, topic_id, epoch, seq, attempts, reason, source)
	SELECT x.subscription, x.topic_id, x.epoch, e.seq, x.attempt, give_up.reason, e.source
	FROM subscriptions.rows_of(x.topic_id, seqs) e
$$;--> statement-breakpoint
-- What was delivered as often as it may, and that nobody has: dead letters. Of what is due behind the horizon, or of all without
-- one. Gives how many events that were.
CREATE FUNCTION "subscriptions"."exhaust"(sub "subscriptions"."subscriptions", horizon timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	x subscriptions.exceptions;
	clock CONSTANT timestamptz := clock_timestamp();
	given_up integer := 0;
BEGIN
	FOR x IN
		SELECT * FROM subscriptions.exceptions y WHERE y.subscription = sub.id AND y.attempt >= sub.deliveries_max
			AND (exhaust.horizon IS NULL OR y.due_at > exhaust.horizon AND y.due_at <= clock) AND (NOT y.leased
				OR sub.kind = 'pull' AND y.due_at + subscriptions.stood_still(y.since, y.due_at) <= clock)
	LOOP
		PERFORM subscriptions.give_up(x, x.open, 'exhausted');
		DELETE FROM subscriptions.exceptions y WHERE y.id = x.id;
		given_up := given_up + x.size;
	END LOOP;
	RETURN given_up;
END $$;--> statement-breakpoint
-- Goes back to where a topic's log has forked, if the subscription was beyond. What was handed out beyond is lost to its workers.
-- Gives how many events more are outstanding and wait than before: none, or fewer.
CREATE FUNCTION "subscriptions"."follow_fork"(subscription integer, topic integer, OUT grew integer, OUT waited integer)
LANGUAGE plpgsql AS $$
DECLARE
	was subscriptions.cursors;
	fork record;
	below int8multirange;
	before integer;
BEGIN
	SELECT * INTO was FROM subscriptions.cursor_of(follow_fork.subscription, topic);
	SELECT max(f.epoch) AS epoch, least(min(f.forked_at), was.cursor) AS at INTO fork
	FROM public.forks f WHERE f.topic_id = topic AND f.epoch > was.epoch;
	below := int8multirange(int8range(NULL, fork.at, '(]'));
	SELECT coalesce(sum(x.size), 0) INTO before FROM subscriptions.exceptions x
	WHERE x.subscription = follow_fork.subscription AND x.topic_id = topic;
	DELETE FROM subscriptions.exceptions x
	WHERE x.subscription = follow_fork.subscription AND x.topic_id = topic AND isempty(x.open * below);
	UPDATE subscriptions.exceptions x SET open = x.open * below, size = subscriptions.count_in(x.open * below),
		sources = CASE WHEN x.sources IS NOT NULL THEN subscriptions.sources_of(topic, x.open * below) END, epoch = fork.epoch
	WHERE x.subscription = follow_fork.subscription AND x.topic_id = topic;
	SELECT coalesce(sum(x.size), 0) - before INTO grew FROM subscriptions.exceptions x
	WHERE x.subscription = follow_fork.subscription AND x.topic_id = topic;
	waited := subscriptions.count_in(was.waiting * below) - subscriptions.count_in(was.waiting);
	PERFORM subscriptions.note_cursor(was, least(was.floor, fork.at), fork.at, fork.epoch, was.waiting * below,
		was.live, was.last_exception);
END $$;--> statement-breakpoint
-- What an RFC 6901 pointer leads to; NULL where it leads nowhere. PostgreSQL's own paths also count arrays from their ends.
CREATE FUNCTION "subscriptions"."at_pointer"(document json, steps text[]) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	step text;
BEGIN
	FOREACH step IN ARRAY steps LOOP
		document := CASE json_typeof(document)
			WHEN 'object' THEN document -> step
			WHEN 'array' THEN CASE WHEN step ~ '^(0|[1-9]\d{0,8})$' THEN document -> step::integer END
		END;
		IF document IS NULL THEN RETURN NULL; END IF;
	END LOOP;
	RETURN document;
END $$;--> statement-breakpoint
-- Whether a value of a payload is a scalar of a filter. Numbers are equal by value; one that no double is near to is equal to none.
CREATE FUNCTION "subscriptions"."equals"(value json, scalar jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT json_typeof(value) = jsonb_typeof(scalar) AND CASE json_typeof(value)
		WHEN 'string' THEN value #>> '{}' = scalar #>> '{}'
		WHEN 'number' THEN CASE
			WHEN length(value::text) < 1000 AND value::text ~ '^-?\d+(\.\d+)?([eE][+-]?\d{1,3})?$'
				THEN value::text::numeric = scalar::numeric
			ELSE false END
		WHEN 'boolean' THEN value::text = scalar::text
		WHEN 'null' THEN true
		ELSE false END
$$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."fits_plain"(payload json, conditions jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	condition jsonb;
	found_value json;
BEGIN
	FOR condition IN SELECT c FROM jsonb_array_elements(conditions) c LOOP
		found_value := subscriptions.at_pointer(payload, ARRAY(SELECT jsonb_array_elements_text(condition -> 'steps')));
		IF found_value IS NULL OR NOT EXISTS (
			SELECT FROM jsonb_array_elements(condition -> 'values') v WHERE subscriptions.equals(found_value, v)
		) THEN RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END $$;--> statement-breakpoint
-- Escapes may stand for what PostgreSQL has no text for: NUL, and halves of a pair. A NUL is read as U+FFFD, and a payload with
-- such a half fits nothing. The block that catches errors costs as much as all the rest, so few payloads come here.
CREATE FUNCTION "subscriptions"."fits_escaped"(payload json, conditions jsonb) RETURNS boolean LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	RETURN subscriptions.fits_plain(
		regexp_replace(payload::text, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g')::json, conditions);
EXCEPTION WHEN data_exception THEN
	RETURN false;
END $$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."fits"(payload json, conditions jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN strpos(payload::text, '\u') = 0 THEN subscriptions.fits_plain(payload, conditions)
		ELSE subscriptions.fits_escaped(payload, conditions) END
$$;--> statement-breakpoint
-- Of an exception that is due: what may be handed out where order matters. Of each source, or of the topic as a whole, nothing
-- while another worker has some of it, nothing behind what is not settled and not in this grant, and so many at once.
CREATE FUNCTION "subscriptions"."eligible"(sub "subscriptions"."subscriptions", c "subscriptions"."cursors",
	x "subscriptions"."exceptions", mine uuid, clock timestamptz) RETURNS int8multirange LANGUAGE sql STABLE AS $$
	WITH own AS (
		SELECT o.seq, o.line, row_number() OVER (PARTITION BY o.line ORDER BY o.seq) AS nth FROM (
			SELECT e.seq, CASE sub.ordering WHEN 'source' THEN e.source ELSE '' END AS line
			FROM subscriptions.rows_of(x.topic_id, x.open) e
		) o
	), others AS (
		SELECT h.line, bool_or(h.is_held) AS is_held, min(h.seq) FILTER (WHERE NOT h.is_mine) AS first,
			count(*) FILTER (WHERE h.is_mine) AS mine
		FROM (
			SELECT e.seq, CASE sub.ordering WHEN 'source' THEN e.source ELSE '' END AS line,
				coalesce(y.grant_id = eligible.mine, false) AS is_mine,
				y.leased AND y.due_at > clock AND y.grant_id <> eligible.mine AS is_held
			FROM subscriptions.live_of(c) y CROSS JOIN LATERAL subscriptions.rows_of(y.topic_id, y.open) e
			WHERE y.id <> x.id
		) h GROUP BY h.line
	)
	SELECT coalesce(range_agg(int8range(own.seq, own.seq + 1)), '{}')
	FROM own LEFT JOIN others ON others.line = own.line
	WHERE others.line IS NULL OR NOT others.is_held AND (others.first IS NULL OR others.first > own.seq)
		AND (sub.ordering = 'topic' OR own.nth + others.mine <= sub.source_batch)
$$;--> statement-breakpoint
-- Of the first `look_max` of some seqs those that may go out next where the order of sources counts: of each source that is not
-- busy the first ones, beginning with the source that has waited longest.
CREATE FUNCTION "subscriptions"."first_of_sources"(topic integer, seqs int8multirange, look_max integer, busy text[],
	source_batch integer, want integer) RETURNS int8multirange LANGUAGE sql STABLE AS $$
	SELECT coalesce(range_agg(int8range(c.seq, c.seq + 1)), '{}') FROM (
		SELECT unnest(o.seqs[1:want - (o.upto - o.events)::integer]) AS seq FROM (
			SELECT g.seqs, cardinality(g.seqs) AS events,
				sum(cardinality(g.seqs)) OVER (ORDER BY g.seqs[1] ROWS UNBOUNDED PRECEDING) AS upto
			FROM (
				SELECT e.source COLLATE "C" AS source, (array_agg(e.seq ORDER BY e.seq))[1:source_batch] AS seqs
				FROM (SELECT * FROM subscriptions.rows_of(topic, seqs) LIMIT look_max) e GROUP BY 1 OFFSET 0
			) g WHERE g.source <> ALL (busy)
		) o WHERE o.upto - o.events < want
	) c
$$;--> statement-breakpoint
-- Some seqs of a topic without those of spans whose sources are all busy: nothing of them can go out, and nobody need read
-- them to know it. Of at most 32 spans; one that has no summary yet, or too many sources for one, is read.
CREATE FUNCTION "subscriptions"."without_busy"(topic integer, seqs int8multirange, busy text[]) RETURNS int8multirange
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF isempty(seqs) OR cardinality(busy) = 0 THEN RETURN seqs; END IF;
	RETURN seqs - coalesce((
		SELECT range_agg(int8range(n.span << 10, (n.span + 1) << 10))
		FROM (
			SELECT DISTINCT generate_series(lower(r) >> 10, (upper(r) - 1) >> 10) AS span FROM unnest(seqs) r ORDER BY 1 LIMIT 32
		) n CROSS JOIN LATERAL (
			SELECT p.sources FROM public.spans p WHERE p.topic_id = topic AND p.span = n.span::integer OFFSET 0
		) s
		WHERE cardinality(s.sources) <= cardinality(busy)
			AND NOT EXISTS (SELECT unnest(s.sources) EXCEPT SELECT unnest(busy))
	), '{}');
END $$;--> statement-breakpoint
-- Which events of a topic to hand out for the first time, where not simply the next ones: those that fit the filter, and of each
-- source that is not busy the first ones. `pool` is what was looked at and not handed out, up to `looked`. It looks at 5,000 at
-- most, and `room` says how many may join the pool. `more`: it has stopped there. With a pool of some grants each grant has many
-- events of few sources, so that several workers are busy side by side; with one event of a source at a time that gains nothing.
CREATE FUNCTION "subscriptions"."choose"(sub "subscriptions"."subscriptions", was "subscriptions"."cursors", want integer,
	room integer, OUT chosen int8multirange, OUT pool int8multirange, OUT looked bigint, OUT more boolean)
LANGUAGE plpgsql AS $$
DECLARE
	scan_max CONSTANT integer := 5000;
	by_source CONSTANT boolean := sub.ordering = 'source';
	scanned integer := 0;
	-- Of the pool what may go out, as far as that is known without reading it.
	open_pool int8multirange := was.waiting;
	size integer;
	look_max integer := greatest(CASE WHEN by_source THEN least(4 * want, 200 * sub.source_batch) ELSE 2 * want END, 200);
	count_chosen integer;
	part integer;
	fresh record;
	at_end boolean := false;
	busy text[] := '{}';
BEGIN
	pool := was.waiting;
	looked := was.cursor;
	more := false;
	IF by_source THEN
		SELECT coalesce(array_agg(DISTINCT b.source), '{}') INTO busy FROM (
			SELECT unnest(y.sources) AS source FROM subscriptions.live_of(was) y
			UNION ALL
			SELECT d.source FROM subscriptions.dead d WHERE sub.on_exhausted = 'block'
				AND d.subscription = sub.id AND d.topic_id = was.topic_id AND d.state = 'open'
		) b;
		open_pool := subscriptions.without_busy(was.topic_id, open_pool, busy);
	END IF;
	size := subscriptions.count_in(open_pool);
	LOOP
		part := least(scan_max - scanned, look_max - size);
		IF by_source THEN part := least(part, room); END IF;
		IF part > 0 THEN
			SELECT coalesce(range_agg(int8range(n.seq, n.seq + 1)) FILTER (WHERE n.is_fit), '{}') AS seqs,
				count(*) FILTER (WHERE n.is_fit)::integer AS fitting, count(*)::integer AS seen, max(n.seq) AS last INTO fresh
			FROM (
				SELECT e.seq, (sub.filter_sources IS NULL OR e.source = ANY (sub.filter_sources))
					AND (sub.filter_payload IS NULL OR subscriptions.fits(e.payload, sub.filter_payload)) AS is_fit
				FROM public.events e WHERE e.topic_id = was.topic_id AND e.seq > looked ORDER BY e.seq LIMIT part
			) n;
			pool := pool + fresh.seqs;
			open_pool := open_pool + fresh.seqs;
			size := size + fresh.fitting;
			room := room - fresh.fitting;
			scanned := scanned + fresh.seen;
			looked := coalesce(fresh.last, looked);
			at_end := fresh.seen < part;
		END IF;
		chosen := CASE WHEN by_source
			THEN subscriptions.first_of_sources(was.topic_id, open_pool, look_max, busy, sub.source_batch, want) ELSE pool END;
		count_chosen := subscriptions.count_in(chosen);
		EXIT WHEN count_chosen >= want;
		IF look_max >= size THEN
			EXIT WHEN at_end OR by_source AND room <= 0;
			more := scanned >= scan_max;
			EXIT WHEN more;
		END IF;
		IF by_source AND count_chosen > 0 THEN
			-- Where the later half of what was looked at has nothing for this grant, what follows hardly has either.
			more := subscriptions.count_in(open_pool * int8multirange(int8range(NULL, upper(chosen)))) < least(look_max, size) / 2;
			EXIT WHEN more;
		END IF;
		look_max := CASE WHEN by_source THEN 2 * look_max ELSE size + greatest(size, 2 * want, 200) END;
	END LOOP;
END $$;--> statement-breakpoint
-- Makes a grant one that can be told from what somebody has made up: its last 48 bits are a keyed hash of all else.
CREATE FUNCTION "subscriptions"."seal"(pepper bytea, grant_id uuid, subscription integer, generation integer) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
	SELECT encode(substr(uuid_send(grant_id), 1, 10) || substr(sha256(
		pepper || 'grant' || int4send(subscription) || int4send(generation) || substr(uuid_send(grant_id), 1, 10)
	), 1, 6), 'hex')::uuid
$$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."sealed"(grant_hex text, sub "subscriptions"."subscriptions") RETURNS uuid LANGUAGE sql STABLE
AS $$
	SELECT coalesce(subscriptions.seal((SELECT i.pepper FROM public.installation i), grant_hex::uuid, sub.id, sub.generation),
		grant_hex::uuid)
$$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."token_of"(grant_id uuid, sub "subscriptions"."subscriptions") RETURNS text LANGUAGE sql
IMMUTABLE AS $$
	SELECT concat_ws('.', translate(rtrim(encode(uuid_send(grant_id), 'base64'), '='), '+/', '-_'), sub.id, sub.generation)
$$;--> statement-breakpoint
-- Hands out events under a new grant: those that are due, then those that were never handed out. The last row says so; before it
-- come the events, if rows are wanted. Only the clock of this database counts, and nobody sends a time. A first event comes
-- whatever its size.
CREATE FUNCTION "subscriptions"."hand_out"(name text, max_events integer, max_bytes integer, worker text, grant_hex text,
	with_rows boolean) RETURNS SETOF "subscriptions"."item" LANGUAGE plpgsql AS $$
DECLARE
	sub CONSTANT subscriptions.subscriptions := subscriptions.lock_one(hand_out.name);
	own CONSTANT uuid := subscriptions.sealed(hand_out.grant_hex, sub);
	was subscriptions.states;
	clock timestamptz;
	until timestamptz;
	horizon_to timestamptz;
	topics_up_to integer;
	item subscriptions.item;
	x subscriptions.exceptions;
	c subscriptions.cursors;
	m record;
	topic text;
	has_forked boolean;
	is_chosen boolean;
	choice record;
	change record;
	seqs int8multirange;
	considered int8multirange;
	given int8multirange;
	rest int8multirange;
	taken subscriptions.portion;
	live bigint[];
	last_exception bigint;
	exception_id bigint;
	want integer;
	room integer;
	next_cursor bigint;
	looked_due integer := 0;
	spent bigint := 0;
	count_given integer := 0;
	is_full boolean := false;
	more boolean := false;
	wrote boolean := false;
	grew integer := 0;
	waited integer := 0;
	start_at integer;
BEGIN
	IF sub.id IS NULL OR sub.kind <> 'pull' OR sub.state = 'paused' THEN
		item.payload := json_build_object('state',
			CASE WHEN sub.id IS NULL THEN 'unknown' WHEN sub.kind <> 'pull' THEN sub.kind ELSE 'paused' END);
		RETURN NEXT item;
		RETURN;
	END IF;
	PERFORM subscriptions.beat(interval '2 s');
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	topics_up_to := subscriptions.join_topics(sub, was.topics_up_to);
	clock := clock_timestamp();
	horizon_to := clock;
	-- Behind what was looked at, also when the clock was set back: so nothing is due where nobody looks.
	until := greatest(clock + sub.lease_s * interval '1 s', was.horizon + interval '1 us');

	FOR x IN
		SELECT * FROM subscriptions.exceptions y
		WHERE y.subscription = sub.id AND y.due_at > was.horizon AND y.due_at <= clock
		ORDER BY y.due_at, y.id LIMIT 1000
	LOOP
		looked_due := looked_due + 1;
		IF looked_due = 1000 THEN
			horizon_to := least(horizon_to, x.due_at - interval '1 us');
			more := true;
		END IF;
		IF x.leased AND subscriptions.stood_still(x.since, x.due_at) > interval '0' THEN
			UPDATE subscriptions.exceptions y SET due_at = y.due_at + subscriptions.stood_still(y.since, y.due_at), since = clock
			WHERE y.id = x.id RETURNING y.* INTO x;
			wrote := true;
			CONTINUE WHEN x.due_at > clock;
		END IF;
		IF x.attempt >= sub.deliveries_max THEN
			PERFORM subscriptions.give_up(x, x.open, 'exhausted');
			DELETE FROM subscriptions.exceptions y WHERE y.id = x.id;
			grew := grew - x.size;
			CONTINUE;
		END IF;
		want := hand_out.max_events - count_given;
		SELECT n.name, EXISTS (SELECT FROM public.forks f WHERE f.topic_id = x.topic_id AND f.epoch > x.epoch)
		INTO topic, has_forked FROM subscriptions.members n WHERE n.subscription = sub.id AND n.topic_id = x.topic_id;
		IF want <= 0 OR count_given > 0 AND spent >= hand_out.max_bytes OR has_forked THEN
			horizon_to := least(horizon_to, x.due_at - interval '1 us');
			more := true;
			EXIT;
		END IF;
		seqs := x.open;
		IF sub.ordering <> 'none' THEN
			SELECT * INTO c FROM subscriptions.cursor_of(sub.id, x.topic_id);
			seqs := subscriptions.eligible(sub, c, x, own, clock);
		END IF;
		taken := subscriptions.take(x.topic_id, seqs, want, hand_out.max_bytes - spent, count_given = 0,
			sub.ordering = 'source');
		IF with_rows THEN
			RETURN QUERY SELECT * FROM subscriptions.events_of(x.topic_id, topic, x.epoch, x.attempt + 1, taken.given, taken.events);
		END IF;
		spent := spent + taken.bytes;
		count_given := count_given + taken.events;
		given := taken.given;
		-- Events whose rows somebody has deleted are settled with those before which they stood.
		considered := CASE WHEN taken.stopped THEN seqs * int8multirange(int8range(NULL, coalesce(upper(given), 0))) ELSE seqs END;
		-- With an order, those are not among what is eligible: where none of the rest has a row, it is settled as well.
		rest := x.open - considered;
		IF sub.ordering <> 'none' AND NOT isempty(rest) THEN
			SELECT coalesce(range_agg(int8range(e.seq, e.seq + 1)), '{}') INTO rest
			FROM subscriptions.rows_of(x.topic_id, rest) e;
		END IF;
		grew := grew - x.size + taken.events + subscriptions.count_in(rest);
		IF NOT isempty(rest) THEN horizon_to := least(horizon_to, x.due_at - interval '1 us'); END IF;
		more := more OR taken.stopped;
		CONTINUE WHEN taken.events = 0 AND rest = x.open;
		IF isempty(rest) THEN
			DELETE FROM subscriptions.exceptions y WHERE y.id = x.id;
		ELSE
			UPDATE subscriptions.exceptions y SET open = rest, size = subscriptions.count_in(rest),
				sources = CASE WHEN sub.ordering = 'source' THEN subscriptions.sources_of(x.topic_id, rest) END
			WHERE y.id = x.id;
		END IF;
		wrote := true;
		CONTINUE WHEN taken.events = 0;
		INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, grant_id, priors, leased, attempt, open, size,
			since, due_at, worker, sources, redriven)
		VALUES (sub.id, x.topic_id, x.epoch, own, array_remove(x.grant_id || x.priors[1:19], NULL), true, x.attempt + 1,
			given, taken.events, clock, until, hand_out.worker, CASE WHEN sub.ordering = 'source' THEN taken.sources END, x.redriven);
	END LOOP;

	-- Somewhere else each time, so that a topic that always has more does not keep others waiting.
	SELECT (random() * max(n.topic_id))::integer INTO start_at FROM subscriptions.members n WHERE n.subscription = sub.id;
	FOR m IN
		SELECT n.topic_id, n.name, EXISTS (
			SELECT FROM public.forks f WHERE f.topic_id = n.topic_id AND f.epoch > p.epoch) AS has_forked
		FROM (
			(SELECT * FROM subscriptions.members a WHERE a.subscription = sub.id AND a.topic_id >= start_at ORDER BY a.topic_id)
			UNION ALL
			(SELECT * FROM subscriptions.members b WHERE b.subscription = sub.id AND b.topic_id < start_at ORDER BY b.topic_id)
		) n CROSS JOIN LATERAL (
			SELECT * FROM subscriptions.cursors r WHERE r.subscription = sub.id AND r.topic_id = n.topic_id
			ORDER BY r.revision DESC LIMIT 1
		) p
		WHERE NOT isempty(p.waiting)
			OR (SELECT e.seq FROM public.events e WHERE e.topic_id = n.topic_id AND e.seq > p.cursor ORDER BY e.seq LIMIT 1)
				IS NOT NULL
			OR EXISTS (SELECT FROM public.forks f WHERE f.topic_id = n.topic_id AND f.epoch > p.epoch)
	LOOP
		want := hand_out.max_events - count_given;
		IF want <= 0 OR count_given > 0 AND spent >= hand_out.max_bytes THEN
			more := true;
			EXIT;
		END IF;
		IF m.has_forked THEN
			SELECT * INTO change FROM subscriptions.follow_fork(sub.id, m.topic_id);
			grew := grew + change.grew;
			waited := waited + change.waited;
			more := true;
			wrote := true;
			CONTINUE;
		END IF;
		SELECT * INTO c FROM subscriptions.cursor_of(sub.id, m.topic_id);
		room := sub.outstanding_max - was.outstanding - grew - was.waiting - waited;
		IF room <= 0 THEN
			is_full := true;
			EXIT WHEN sub.ordering <> 'source';
		END IF;
		CONTINUE WHEN sub.ordering = 'topic' AND (
			EXISTS (SELECT FROM subscriptions.live_of(c))
			OR sub.on_exhausted = 'block' AND EXISTS (SELECT FROM subscriptions.dead d
				WHERE d.subscription = sub.id AND d.topic_id = m.topic_id AND d.state = 'open'));
		is_chosen := sub.ordering = 'source' OR sub.filter_sources IS NOT NULL OR sub.filter_payload IS NOT NULL;
		IF is_chosen THEN
			-- Those that wait are counted as part of the window already.
			IF sub.ordering <> 'source' THEN want := least(want, room); END IF;
			SELECT * INTO choice FROM subscriptions.choose(sub, c, want, room);
			seqs := choice.chosen;
		ELSE
			want := least(want, room);
			seqs := int8multirange(int8range(c.cursor + 1, NULL));
		END IF;
		taken := subscriptions.take(m.topic_id, seqs, want, hand_out.max_bytes - spent, count_given = 0,
			sub.ordering = 'source');
		IF with_rows THEN
			RETURN QUERY SELECT * FROM subscriptions.events_of(m.topic_id, m.name, c.epoch, 1, taken.given, taken.events);
		END IF;
		spent := spent + taken.bytes;
		count_given := count_given + taken.events;
		given := taken.given;
		more := more OR taken.stopped;
		rest := '{}';
		next_cursor := coalesce(upper(given) - 1, c.cursor);
		IF sub.ordering = 'source' THEN
			rest := choice.pool - given;
			next_cursor := choice.looked;
			more := more OR choice.more;
			waited := waited + subscriptions.count_in(rest) - subscriptions.count_in(c.waiting);
		ELSIF is_chosen THEN
			more := more OR choice.more;
			IF given = choice.chosen THEN next_cursor := choice.looked; END IF;
		END IF;
		CONTINUE WHEN taken.events = 0 AND next_cursor = c.cursor AND rest = c.waiting;
		wrote := true;
		live := '{}';
		last_exception := 0;
		IF sub.ordering <> 'none' THEN
			SELECT coalesce(array_agg(y.id), '{}'), greatest(c.last_exception, max(y.id)) INTO live, last_exception
			FROM subscriptions.live_of(c) y;
		END IF;
		IF taken.events > 0 THEN
			INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, grant_id, leased, attempt, open, size, since,
				due_at, worker, sources)
			VALUES (sub.id, m.topic_id, c.epoch, own, true, 1, given, taken.events, clock, until, hand_out.worker,
				CASE WHEN sub.ordering = 'source' THEN taken.sources END)
			RETURNING id INTO exception_id;
			IF sub.ordering <> 'none' THEN
				live := live || exception_id;
				last_exception := exception_id;
			END IF;
			grew := grew + taken.events;
		END IF;
		PERFORM subscriptions.note_cursor(c,
			subscriptions.floor_of(sub.id, m.topic_id, c.floor, next_cursor, rest), next_cursor, c.epoch, rest, live,
			last_exception);
	END LOOP;

	IF wrote OR grew <> 0 OR topics_up_to <> was.topics_up_to OR horizon_to > was.horizon + interval '10 s' THEN
		PERFORM subscriptions.note_state(was, greatest(was.horizon, horizon_to), grew, waited, topics_up_to);
	ELSE
		-- Nothing was written that must outlive a crash, so COMMIT need not wait for the disk.
		PERFORM set_config('synchronous_commit', 'off', true);
	END IF;
	item := NULL;
	item.payload := json_build_object('state', 'given', 'grant', encode(uuid_send(own), 'hex'), 'subscription', sub.id,
		'generation', sub.generation, 'lease_s', sub.lease_s,
		'lease_until', CASE WHEN count_given > 0 THEN until::text END, 'more', more,
		'blocked_by', CASE WHEN is_full AND count_given = 0 THEN subscriptions.blocked_by(sub.id, sub.ordering) ELSE '[]' END,
		'next_due_at', CASE WHEN count_given = 0 AND was.outstanding + grew > 0 THEN (
			SELECT y.due_at::text FROM subscriptions.exceptions y WHERE y.subscription = sub.id AND y.due_at > clock
			ORDER BY y.due_at LIMIT 1) END);
	RETURN NEXT item;
END $$;--> statement-breakpoint
-- A row for each event.
CREATE FUNCTION "subscriptions"."pull"(name text, max_events integer, max_bytes integer, worker text, grant_hex text)
RETURNS SETOF "subscriptions"."item"
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
	RETURN QUERY SELECT * FROM subscriptions.hand_out(name, max_events, max_bytes, worker, grant_hex, true);
END $$;--> statement-breakpoint
-- The same without the events, which granted_json() gives.
CREATE FUNCTION "subscriptions"."pull_grant"(name text, max_events integer, max_bytes integer, worker text, grant_hex text)
RETURNS SETOF "subscriptions"."item"
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
	RETURN QUERY SELECT * FROM subscriptions.hand_out(name, max_events, max_bytes, worker, grant_hex, false);
END $$;--> statement-breakpoint
-- What was granted, as the text of the items of an answer, which nobody need take apart and put together again: rows took the
-- gateway longer than all of this takes. It needs no turn, so others have theirs meanwhile. Nothing, if a seek came between.
CREATE FUNCTION "subscriptions"."granted_json"(name text, grant_hex text) RETURNS TABLE (topic text, events integer, items text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	SELECT * INTO sub FROM subscriptions.subscriptions s WHERE s.name = granted_json.name;
	RETURN QUERY
		SELECT n.name, i.events, i.items
		FROM (
			SELECT * FROM subscriptions.exceptions o WHERE o.grant_id = subscriptions.sealed(granted_json.grant_hex, sub) OFFSET 0
		) y JOIN subscriptions.members n ON n.subscription = y.subscription AND n.topic_id = y.topic_id
			CROSS JOIN LATERAL subscriptions.items_of(y.topic_id, n.name, y.epoch, y.attempt, y.open,
				subscriptions.token_of(y.grant_id, sub)) i
		WHERE y.subscription = sub.id AND i.events > 0 ORDER BY y.id;
END $$;--> statement-breakpoint
-- What a token says; nothing of what is none. With a seq it is of one event, without of all of the grant. The grant is 128 bits
-- in base64url, which are matched by equality, the rest is decimal (see src/subscriptions/token.ts):
--
--     GRANT.SUBSCRIPTION.GENERATION[.TOPIC.EPOCH.SEQ]
CREATE FUNCTION "subscriptions"."read_token"(token text, OUT grant_id uuid, OUT subscription bigint, OUT generation bigint,
	OUT topic_id bigint, OUT epoch bigint, OUT seq bigint) RETURNS SETOF record LANGUAGE sql IMMUTABLE ROWS 1 AS $$
	SELECT encode(decode(translate(left(token, 22), '-_', '+/') || '==', 'base64'), 'hex')::uuid,
		split_part(token, '.', 2)::bigint, split_part(token, '.', 3)::bigint,
		nullif(split_part(token, '.', 4), '')::bigint, nullif(split_part(token, '.', 5), '')::bigint,
		nullif(split_part(token, '.', 6), '')::bigint
	-- No number that an integer cannot hold: one such token would fail all that are settled together.
	WHERE token ~ '^[A-Za-z0-9_-]{21}[AQgw](\.(1\d{9}|20\d{8}|[1-9]\d{0,8})){2}(\.(1\d{9}|20\d{8}|[1-9]\d{0,8})\.(1\d{9}|20\d{8}|[1-9]\d{0,8})\.[1-9]\d{0,15})?$'
$$;--> statement-breakpoint
-- Settles some of an exception, which the worker that does so has. Gives how many events more are outstanding: none, or fewer.
CREATE FUNCTION "subscriptions"."settle_part"(sub "subscriptions"."subscriptions", horizon timestamptz,
	x "subscriptions"."exceptions", part int8multirange, action text, delay integer, reason text) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	clock CONSTANT timestamptz := clock_timestamp();
	rest CONSTANT int8multirange := x.open - part;
	is_dead CONSTANT boolean := action = 'term' OR action = 'nak' AND x.attempt >= sub.deliveries_max;
	wait integer;
	y subscriptions.exceptions := x;
BEGIN
	IF is_dead THEN
		PERFORM subscriptions.give_up(x, part, CASE action
			WHEN 'term' THEN coalesce(nullif(settle_part.reason, ''), 'terminated')
			-- What a worker said last of an event that it may not try again is no word of giving it up.
			ELSE concat_ws(': ', 'exhausted', nullif(settle_part.reason, '')) END);
	END IF;
	wait := CASE action
		WHEN 'nak' THEN least(greatest(coalesce(delay,
			sub.backoff_s[least(x.attempt, cardinality(sub.backoff_s))], 0), 0), 86400)
		WHEN 'extend' THEN least(greatest(coalesce(delay, sub.lease_s), 1), 3600)
		ELSE 0 END;
	y.leased := action = 'extend';
	y.attempt := x.attempt - CASE action WHEN 'release' THEN 1 ELSE 0 END;
	y.since := clock;
	y.due_at := greatest(clock + wait * interval '1 s', horizon + interval '1 us');
	y.open := part;
	y.size := subscriptions.count_in(part);
	IF action <> 'ack' AND NOT is_dead AND isempty(rest) THEN
		UPDATE subscriptions.exceptions z SET leased = y.leased, attempt = y.attempt, since = y.since, due_at = y.due_at
		WHERE z.id = x.id;
		RETURN 0;
	END IF;
	IF isempty(rest) THEN
		DELETE FROM subscriptions.exceptions z WHERE z.id = x.id;
	ELSE
		UPDATE subscriptions.exceptions z SET open = rest, size = subscriptions.count_in(rest),
			sources = CASE WHEN x.sources IS NOT NULL THEN subscriptions.sources_of(x.topic_id, rest) END
		WHERE z.id = x.id;
	END IF;
	IF action = 'ack' OR is_dead THEN RETURN -y.size; END IF;
	INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, grant_id, priors, leased, attempt, open, size,
		since, due_at, worker, sources, redriven)
	VALUES (y.subscription, y.topic_id, y.epoch, y.grant_id, y.priors, y.leased, y.attempt, y.open, y.size, y.since, y.due_at,
		y.worker, CASE WHEN x.sources IS NOT NULL THEN subscriptions.sources_of(x.topic_id, part) END, y.redriven);
	RETURN 0;
END $$;--> statement-breakpoint
-- Why a token of an event settles nothing, for all that do not at once: a client may send a thousand of them.
CREATE FUNCTION "subscriptions"."why_not"(subscription integer, grants uuid[], topics bigint[], epochs bigint[],
	seqs bigint[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	results text[] := array_fill('unknown'::text, ARRAY[cardinality(grants)]);
	c subscriptions.cursors;
	i integer;
	topic bigint;
	open_all int8multirange;
	fork_at bigint;
BEGIN
	-- By topic, so that what is open of one is read once.
	FOR i IN SELECT n FROM generate_subscripts(grants, 1) n ORDER BY topics[n] LOOP
		IF topics[i] IS DISTINCT FROM topic THEN
			topic := topics[i];
			SELECT * INTO c FROM subscriptions.cursor_of(why_not.subscription, topic::integer);
			SELECT coalesce(range_agg(y.open), '{}') INTO open_all FROM subscriptions.exceptions y
			WHERE y.subscription = why_not.subscription AND y.topic_id = topic;
		END IF;
		SELECT min(f.forked_at) INTO fork_at FROM public.forks f WHERE f.topic_id = topic AND f.epoch > epochs[i];
		results[i] := CASE
			WHEN c.topic_id IS NULL THEN 'unknown'
			WHEN fork_at < seqs[i] THEN 'lease_lost'
			WHEN epochs[i] > c.epoch THEN 'unknown'
			-- The worker has given it back itself.
			WHEN open_all @> seqs[i] AND EXISTS (SELECT FROM (
				SELECT * FROM subscriptions.exceptions o WHERE o.grant_id = grants[i] OFFSET 0
			) y WHERE y.subscription = why_not.subscription AND y.topic_id = topic AND y.open @> seqs[i])
				THEN 'already_settled'
			WHEN open_all @> seqs[i] THEN 'lease_lost'
			WHEN seqs[i] > c.cursor OR c.waiting @> seqs[i] THEN 'unknown'
			ELSE 'already_settled' END;
	END LOOP;
	RETURN results;
END $$;--> statement-breakpoint
-- Settles in a subscription that is locked. Tokens of one grant that are settled alike are settled together.
CREATE FUNCTION "subscriptions"."settle_in"(sub "subscriptions"."subscriptions", tokens text[], actions text[],
	delays integer[], reasons text[]) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	was subscriptions.states;
	g record;
	x subscriptions.exceptions;
	part int8multirange;
	hit int8multirange;
	grew integer := 0;
	results text[] := array_fill('unknown'::text, ARRAY[cardinality(tokens)]);
	pepper CONSTANT bytea := (SELECT i.pepper FROM public.installation i);
	gone uuid[] := '{}';
	gone_numbers integer[] := '{}';
	gone_number integer;
	missed integer[] := '{}';
	grants uuid[] := '{}';
	topics bigint[] := '{}';
	epochs bigint[] := '{}';
	seqs bigint[] := '{}';
	why text[];
BEGIN
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	FOR g IN
		SELECT p.grant_id, p.generation, p.topic_id, t.action, t.delay, t.reason,
			coalesce(range_agg(int8range(p.seq, p.seq + 1)) FILTER (WHERE p.seq IS NOT NULL), '{}') AS wanted,
			array_agg(t.number::integer ORDER BY t.number) AS numbers, array_agg(p.seq ORDER BY t.number) AS seqs,
			array_agg(p.epoch ORDER BY t.number) AS epochs
		FROM unnest(tokens, actions, delays, reasons) WITH ORDINALITY AS t (token, action, delay, reason, number)
			CROSS JOIN LATERAL subscriptions.read_token(t.token) p
		WHERE p.subscription = sub.id AND p.generation <= sub.generation
			AND t.action IN ('ack', 'nak', 'extend', 'term', 'release')
		GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY min(t.number)
	LOOP
		hit := '{}';
		IF g.generation = sub.generation THEN
			FOR x IN
				-- By its grant alone: by the subscription PostgreSQL would read what was settled under a long snapshot.
				SELECT * FROM (SELECT * FROM subscriptions.exceptions o WHERE o.grant_id = g.grant_id OFFSET 0) y
				WHERE y.subscription = sub.id AND y.leased AND (g.topic_id IS NULL OR y.topic_id = g.topic_id)
			LOOP
				part := CASE WHEN g.topic_id IS NULL THEN x.open ELSE x.open * g.wanted END;
				CONTINUE WHEN isempty(part);
				grew := grew + subscriptions.settle_part(sub, was.horizon, x, part, g.action, g.delay, g.reason);
				hit := hit + part;
			END LOOP;
		END IF;
		-- Nothing is kept of grants that are through, so a seal tells them from those that nobody was ever given.
		CONTINUE WHEN isempty(hit) AND subscriptions.seal(pepper, g.grant_id, sub.id, g.generation::integer) <> g.grant_id;
		FOR i IN 1..cardinality(g.numbers) LOOP
			IF g.generation < sub.generation THEN
				results[g.numbers[i]] := 'lease_lost';
			ELSIF g.topic_id IS NULL THEN
				results[g.numbers[i]] := CASE WHEN isempty(hit) THEN 'already_settled' ELSE 'done' END;
				IF isempty(hit) THEN
					gone := gone || g.grant_id;
					gone_numbers := gone_numbers || g.numbers[i];
				END IF;
			ELSIF hit @> g.seqs[i] THEN
				results[g.numbers[i]] := 'done';
			ELSE
				missed := missed || g.numbers[i];
				grants := grants || g.grant_id;
				topics := topics || g.topic_id;
				epochs := epochs || g.epochs[i];
				seqs := seqs || g.seqs[i];
			END IF;
		END LOOP;
	END LOOP;
	IF cardinality(gone) > 0 THEN
		-- For all of them at once, because it reads all that is not settled. What still has a grant its worker has given back.
		FOR gone_number IN
			SELECT n.number FROM unnest(gone, gone_numbers) n (grant_id, number)
			WHERE n.grant_id IN (SELECT unnest(y.priors) FROM subscriptions.exceptions y WHERE y.subscription = sub.id)
				AND NOT EXISTS (SELECT FROM subscriptions.exceptions y WHERE y.grant_id = n.grant_id)
		LOOP
			results[gone_number] := 'lease_lost';
		END LOOP;
	END IF;
	IF cardinality(missed) > 0 THEN
		why := subscriptions.why_not(sub.id, grants, topics, epochs, seqs);
		FOR i IN 1..cardinality(missed) LOOP
			results[missed[i]] := why[i];
		END LOOP;
	END IF;
	IF grew <> 0 THEN PERFORM subscriptions.note_state(was, was.horizon, grew, 0, was.topics_up_to); END IF;
	RETURN results;
END $$;--> statement-breakpoint
-- Settles what workers have: all of the items or none. NULL where there is no such subscription.
CREATE FUNCTION "subscriptions"."settle"(name text, tokens text[], actions text[], delays integer[], reasons text[])
RETURNS text[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
	sub CONSTANT subscriptions.subscriptions := subscriptions.lock_one(settle.name);
BEGIN
	IF sub.id IS NULL THEN RETURN NULL; END IF;
	RETURN subscriptions.settle_in(sub, tokens, actions, delays, reasons);
END $$;--> statement-breakpoint
-- The same for a worker that has its own tables in this database: what it writes and that the event is done with commit together.
-- Call it last: until COMMIT nobody else has a turn in the subscription. Nobody may call it unless it is granted.
CREATE FUNCTION "sekali"."settle"(token text, action text DEFAULT 'ack', delay_s integer DEFAULT NULL,
	reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
	sub subscriptions.subscriptions;
	wanted text;
BEGIN
	IF action NOT IN ('ack', 'nak', 'extend', 'term', 'release') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the action must be ack, nak, extend, term or release';
	END IF;
	SELECT s.name INTO wanted FROM subscriptions.read_token(settle.token) p
		JOIN subscriptions.subscriptions s ON s.id = p.subscription;
	sub := subscriptions.lock_one(wanted);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	RETURN (subscriptions.settle_in(sub, ARRAY[settle.token], ARRAY[action], ARRAY[delay_s], ARRAY[left(reason, 256)]))[1];
END $$;--> statement-breakpoint
-- The first place in a topic before all that was stored at a time or later. Times of storing go up, but for a clock that was set
-- back: then it is one of several.
CREATE FUNCTION "subscriptions"."place_at"(topic integer, head bigint, wanted timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
	low bigint := 0;
	high bigint := head;
	middle bigint;
	stored timestamptz;
BEGIN
	WHILE low < high LOOP
		middle := (low + high + 1) / 2;
		SELECT e.stored_at INTO stored FROM public.events e WHERE e.topic_id = topic AND e.seq >= middle
		ORDER BY e.seq LIMIT 1;
		IF stored < wanted THEN low := middle; ELSE high := middle - 1; END IF;
	END LOOP;
	RETURN low;
END $$;--> statement-breakpoint
-- Where a subscription begins in the topics that match. `start` is {"from": "start" | "now" | "time" | "after", "time", "places":
-- [{"id" | "name", "epoch", "seq"}]}. A place that a restore has taken away is where the log has forked.
CREATE FUNCTION "subscriptions"."places"(topics_match text, start jsonb) RETURNS TABLE (topic_id integer, name text,
	epoch integer, seq bigint) LANGUAGE sql STABLE AS $$
	SELECT t.id, t.name, t.epoch, CASE start ->> 'from'
		WHEN 'now' THEN t.head
		WHEN 'time' THEN subscriptions.place_at(t.id, t.head, (start ->> 'time')::timestamptz)
		WHEN 'after' THEN coalesce(least(p.seq, (SELECT min(f.forked_at) FROM public.forks f
			WHERE f.topic_id = t.id AND f.epoch > p.epoch)), 0)
		ELSE 0 END
	FROM public.topics t LEFT JOIN jsonb_to_recordset(start -> 'places') AS p (id integer, name text, epoch bigint, seq bigint)
		ON p.id = t.id OR p.name = t.name
	WHERE t.name ~ places.topics_match
$$;--> statement-breakpoint
-- Whether it names what is not there: a topic, or an epoch that has not begun.
CREATE FUNCTION "subscriptions"."is_ahead"(topics_match text, start jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT EXISTS (
		SELECT FROM jsonb_to_recordset(start -> 'places') AS p (id integer, name text, epoch bigint, seq bigint)
		WHERE NOT EXISTS (SELECT FROM public.topics t WHERE (t.id = p.id OR t.name = p.name) AND t.epoch >= p.epoch
			AND t.name ~ is_ahead.topics_match)
	)
$$;--> statement-breakpoint
-- Puts a subscription to places in all topics that match, and has those join that it has not seen.
CREATE FUNCTION "subscriptions"."set_places"(sub "subscriptions"."subscriptions", start jsonb) RETURNS void
LANGUAGE sql AS $$
	WITH p AS MATERIALIZED (
		SELECT * FROM subscriptions.places(sub.topics_match, start)
	), joined AS (
		INSERT INTO subscriptions.members (subscription, topic_id, name) SELECT sub.id, p.topic_id, p.name FROM p
		ON CONFLICT DO NOTHING
	)
	INSERT INTO subscriptions.cursors (subscription, topic_id, revision, epoch, floor, cursor)
	SELECT sub.id, p.topic_id, 1 + coalesce((SELECT c.revision FROM subscriptions.cursor_of(sub.id, p.topic_id) c), 0),
		p.epoch, p.seq, p.seq FROM p
$$;--> statement-breakpoint
-- Creates a subscription, finds that it is as wanted, or changes what may change. `field` is what may not.
CREATE FUNCTION "subscriptions"."put"(name text, topics text, topics_match text, ordering text, filter json, conditions jsonb,
	source_batch integer, lease_s integer, outstanding_max integer, deliveries_max integer, backoff_s integer[],
	on_exhausted text, start jsonb, actor text, client text, until timestamptz, OUT outcome text, OUT field text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	sub subscriptions.subscriptions;
	was subscriptions.states;
	changes jsonb;
	given_up integer;
BEGIN
	IF access.hold(put.actor, put.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
	-- Of two that make the same one at once the second finds it.
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(put.name);
	IF sub.id IS NULL THEN
		IF (SELECT count(*) FROM subscriptions.subscriptions) >= 1000 THEN
			outcome := 'too_many';
			RETURN;
		END IF;
		IF subscriptions.is_ahead(put.topics_match, put.start) THEN
			outcome := 'cursor_ahead';
			RETURN;
		END IF;
		INSERT INTO subscriptions.subscriptions AS s (name, topics, topics_match, ordering, filter, filter_sources,
			filter_payload, source_batch, lease_s, outstanding_max, deliveries_max, backoff_s, on_exhausted, created_by)
		VALUES (put.name, put.topics, put.topics_match, put.ordering, put.filter,
			CASE WHEN put.filter -> 'sources' IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(put.filter -> 'sources')) END,
			put.conditions, put.source_batch, put.lease_s, put.outstanding_max, put.deliveries_max, put.backoff_s,
			put.on_exhausted, put.actor)
		RETURNING s.* INTO sub;
		INSERT INTO subscriptions.states (subscription, revision, horizon, outstanding, waiting, topics_up_to)
		SELECT sub.id, 1, clock_timestamp(), 0, 0, coalesce(max(t.id), 0) FROM public.topics t;
		PERFORM subscriptions.set_places(sub, put.start);
		PERFORM audit.append(put.actor, put.client, 'subscription_created', put.name, jsonb_build_object(
			'topics', put.topics, 'order', put.ordering, 'filter', put.filter, 'from', put.start));
		outcome := 'created';
		RETURN;
	END IF;
	field := CASE WHEN sub.topics <> put.topics THEN 'topics' WHEN sub.ordering <> put.ordering THEN 'order'
		WHEN sub.filter::text <> put.filter::text THEN 'filter' WHEN sub.source_batch <> put.source_batch THEN 'source_batch' END;
	IF field IS NOT NULL THEN
		outcome := 'immutable';
		RETURN;
	END IF;
	SELECT jsonb_object_agg(n.key, n.value) INTO changes FROM jsonb_each(jsonb_build_object('lease_s', put.lease_s,
		'outstanding_max', put.outstanding_max, 'deliveries_max', put.deliveries_max, 'backoff_s', put.backoff_s,
		'on_exhausted', put.on_exhausted)) n WHERE n.value <> to_jsonb(sub) -> n.key;
	IF changes IS NULL THEN
		outcome := 'same';
		RETURN;
	END IF;
	UPDATE subscriptions.subscriptions s SET lease_s = put.lease_s, outstanding_max = put.outstanding_max,
		deliveries_max = put.deliveries_max, backoff_s = put.backoff_s, on_exhausted = put.on_exhausted,
		changed_at = clock_timestamp() WHERE s.id = sub.id RETURNING s.* INTO sub;
	-- Judged now: what is over the new bound must not wait for its retry.
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	given_up := subscriptions.exhaust(sub, NULL);
	IF given_up > 0 THEN PERFORM subscriptions.note_state(was, was.horizon, -given_up, 0, was.topics_up_to); END IF;
	PERFORM audit.append(put.actor, put.client, 'subscription_changed', put.name, changes);
	outcome := 'changed';
END $$;--> statement-breakpoint
-- Moves a subscription to other places. A new generation: no token of before is valid any more.
CREATE FUNCTION "subscriptions"."seek"(name text, start jsonb, dry_run boolean, actor text, client text, until timestamptz,
	OUT outcome text, OUT lost bigint, OUT again bigint, OUT skipped bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	sub subscriptions.subscriptions;
	was subscriptions.states;
BEGIN
	IF access.hold(seek.actor, seek.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(seek.name);
	IF sub.id IS NULL THEN
		outcome := 'unknown';
		RETURN;
	END IF;
	IF subscriptions.is_ahead(sub.topics_match, seek.start) THEN
		outcome := 'cursor_ahead';
		RETURN;
	END IF;
	SELECT coalesce(sum(y.size), 0) INTO lost FROM subscriptions.exceptions y WHERE y.subscription = sub.id;
	SELECT coalesce(sum(greatest(c.cursor - p.seq, 0)), 0), coalesce(sum(greatest(
		p.seq - subscriptions.floor_of(sub.id, p.topic_id, c.floor, c.cursor, c.waiting), 0)), 0) INTO again, skipped
	FROM subscriptions.places(sub.topics_match, seek.start) p CROSS JOIN LATERAL subscriptions.cursor_of(sub.id, p.topic_id) c;
	IF seek.dry_run THEN
		outcome := 'would_move';
		RETURN;
	END IF;
	DELETE FROM subscriptions.exceptions y WHERE y.subscription = sub.id;
	UPDATE subscriptions.subscriptions s SET generation = s.generation + 1, changed_at = clock_timestamp()
	WHERE s.id = sub.id;
	PERFORM subscriptions.set_places(sub, seek.start);
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	PERFORM subscriptions.note_state(was, was.horizon, -was.outstanding, -was.waiting, was.topics_up_to);
	PERFORM audit.append(seek.actor, seek.client, 'subscription_moved', seek.name, jsonb_build_object('to', seek.start,
		'lost', lost, 'again', again, 'skipped', skipped));
	outcome := 'moved';
END $$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."set_state"(name text, state text, actor text, client text, until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	IF access.hold(set_state.actor, set_state.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(set_state.name);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	IF sub.state = set_state.state THEN RETURN 'set'; END IF;
	UPDATE subscriptions.subscriptions s SET state = set_state.state, changed_at = clock_timestamp() WHERE s.id = sub.id;
	PERFORM audit.append(set_state.actor, set_state.client,
		CASE set_state.state WHEN 'paused' THEN 'subscription_paused' ELSE 'subscription_resumed' END, set_state.name, '{}');
	RETURN 'set';
END $$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."remove"(name text, actor text, client text, until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	IF access.hold(remove.actor, remove.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(remove.name);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	DELETE FROM subscriptions.members m WHERE m.subscription = sub.id;
	DELETE FROM subscriptions.cursors c WHERE c.subscription = sub.id;
	DELETE FROM subscriptions.states s WHERE s.subscription = sub.id;
	DELETE FROM subscriptions.exceptions y WHERE y.subscription = sub.id;
	DELETE FROM subscriptions.dead d WHERE d.subscription = sub.id;
	DELETE FROM subscriptions.subscriptions s WHERE s.id = sub.id;
	PERFORM audit.append(remove.actor, remove.client, 'subscription_removed', remove.name,
		jsonb_build_object('topics', sub.topics));
	RETURN 'removed';
END $$;--> statement-breakpoint
-- Has a dead letter delivered once more, without moving the floor, or marks it as done with. `gone`: there is no such event.
CREATE FUNCTION "subscriptions"."settle_dead"(letter bigint, became text, reason text, actor text, client text,
	until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
	d subscriptions.dead;
	was subscriptions.states;
BEGIN
	IF access.hold(settle_dead.actor, settle_dead.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	sub := subscriptions.lock_one((SELECT s.name FROM subscriptions.dead l
		JOIN subscriptions.subscriptions s ON s.id = l.subscription WHERE l.id = letter));
	SELECT * INTO d FROM subscriptions.dead l WHERE l.id = letter AND l.subscription = sub.id;
	IF d.id IS NULL THEN RETURN 'unknown'; END IF;
	IF d.state <> 'open' THEN RETURN 'settled'; END IF;
	IF became = 'redriven' THEN
		IF NOT EXISTS (SELECT FROM public.events e WHERE e.topic_id = d.topic_id AND e.seq = d.seq) OR EXISTS (
			SELECT FROM public.forks f WHERE f.topic_id = d.topic_id AND f.epoch > d.epoch AND f.forked_at < d.seq
		) THEN RETURN 'gone';
		END IF;
		SELECT * INTO was FROM subscriptions.state_of(sub.id);
		INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, leased, attempt, open, size, since, due_at,
			sources, redriven)
		SELECT sub.id, d.topic_id, c.epoch, false, 0, int8multirange(int8range(d.seq, d.seq + 1)), 1, clock_timestamp(),
			greatest(clock_timestamp(), was.horizon + interval '1 us'),
			CASE WHEN sub.ordering = 'source' THEN ARRAY[d.source] END, true
		FROM subscriptions.cursor_of(sub.id, d.topic_id) c;
		PERFORM subscriptions.note_state(was, was.horizon, 1, 0, was.topics_up_to);
	END IF;
	UPDATE subscriptions.dead l SET state = became, settled_at = clock_timestamp(), settled_by = settle_dead.actor,
		settled_reason = settle_dead.reason WHERE l.id = letter;
	PERFORM audit.append(settle_dead.actor, settle_dead.client, 'letter_' || became, 'd-' || letter,
		jsonb_strip_nulls(jsonb_build_object('subscription', sub.name, 'reason', settle_dead.reason)));
	RETURN became;
END $$;--> statement-breakpoint
-- Whose events fill the window of a subscription in which nothing can go out: ten at most, those first that keep most waiting of
-- the first 200 in each topic. Whoever waits asks often, and the whole window took longer than all the rest of such a pull.
CREATE FUNCTION "subscriptions"."blocked_by"(subscription integer, ordering text) RETURNS json LANGUAGE sql STABLE AS $$
	SELECT coalesce(json_agg(b), '[]') FROM (
		SELECT w.topic, w.source FROM (
			SELECT m.name AS topic, e.source, count(*) AS waits
			FROM subscriptions.members m CROSS JOIN LATERAL subscriptions.cursor_of(m.subscription, m.topic_id) c
				CROSS JOIN LATERAL (SELECT w.source FROM subscriptions.rows_of(m.topic_id, c.waiting) w LIMIT 200) e
			WHERE m.subscription = $1 AND $2 = 'source' GROUP BY 1, 2
			UNION ALL
			SELECT m.name, NULL, sum(y.size) FROM subscriptions.exceptions y
				JOIN subscriptions.members m ON m.subscription = y.subscription AND m.topic_id = y.topic_id
			WHERE y.subscription = $1 AND $2 = 'topic' GROUP BY 1
		) w ORDER BY w.waits DESC, w.topic, w.source LIMIT 10
	) b
$$;--> statement-breakpoint
-- How a subscription stands, for people and for metrics.
CREATE FUNCTION "subscriptions"."figures"(subscription integer, OUT lag bigint, OUT outstanding bigint, OUT retrying bigint,
	OUT waiting bigint, OUT blocked json, OUT dead bigint, OUT oldest_unsettled_at timestamptz, OUT retry_due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	WITH places AS MATERIALIZED (
		SELECT m.topic_id, m.name, t.head, c.waiting,
			subscriptions.floor_of($1, m.topic_id, c.floor, c.cursor, c.waiting) AS floor
		FROM subscriptions.members m JOIN public.topics t ON t.id = m.topic_id
			CROSS JOIN LATERAL subscriptions.cursor_of($1, m.topic_id) c
		WHERE m.subscription = $1
	), held AS (
		-- Whose lease is over, its worker is gone, most likely: it comes again with the next pull.
		SELECT coalesce(sum(y.size) FILTER (WHERE o.runs), 0)::bigint AS outstanding,
			coalesce(sum(y.size) FILTER (WHERE NOT o.runs), 0)::bigint AS retrying,
			min(y.due_at) FILTER (WHERE NOT o.runs) AS retry_due_at
		FROM subscriptions.exceptions y
			CROSS JOIN LATERAL (SELECT y.leased AND y.due_at + CASE WHEN y.due_at > statement_timestamp() THEN interval '0'
				ELSE subscriptions.stood_still(y.since, y.due_at) END > statement_timestamp() AS runs) o
		WHERE y.subscription = $1
	), letters AS (
		SELECT d.topic_id, d.source, count(*) AS letters FROM subscriptions.dead d
		WHERE d.subscription = $1 AND d.state = 'open' GROUP BY 1, 2
	)
	SELECT coalesce((SELECT sum(greatest(p.head - p.floor, 0)) FROM places p), 0)::bigint, held.outstanding, held.retrying,
		coalesce((SELECT sum(subscriptions.count_in(p.waiting)) FROM places p), 0)::bigint,
		coalesce((SELECT json_agg(b) FROM (
			SELECT DISTINCT p.name AS topic, CASE s.ordering WHEN 'source' THEN l.source END AS source
			FROM subscriptions.subscriptions s, letters l JOIN places p ON p.topic_id = l.topic_id
			WHERE s.id = $1 AND s.on_exhausted = 'block' AND s.ordering <> 'none' ORDER BY 1, 2 LIMIT 10
		) b), '[]'),
		coalesce((SELECT sum(l.letters) FROM letters l), 0)::bigint,
		(SELECT min((SELECT e.stored_at FROM public.events e WHERE e.topic_id = p.topic_id AND e.seq > p.floor
			ORDER BY e.seq LIMIT 1)) FROM places p WHERE p.head > p.floor),
		held.retry_due_at
	FROM held
$$;--> statement-breakpoint
-- What must happen where nothing is pulled, for fifty subscriptions at a time that nobody has a turn in.
CREATE FUNCTION "subscriptions"."look"() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	sub subscriptions.subscriptions;
	was subscriptions.states;
	given_up integer;
	outstanding integer;
	topics_up_to integer;
	start_at integer;
BEGIN
	PERFORM subscriptions.beat(interval '0.9 s');
	SELECT (random() * max(s.id))::integer INTO start_at FROM subscriptions.subscriptions s;
	FOR sub IN
		SELECT * FROM subscriptions.subscriptions s ORDER BY s.id < start_at, s.id LIMIT 50 FOR UPDATE SKIP LOCKED
	LOOP
		SELECT * INTO was FROM subscriptions.state_of(sub.id);
		given_up := subscriptions.exhaust(sub, was.horizon);
		-- Ids of topics become visible in an order of their own: some are looked at again.
		topics_up_to := subscriptions.join_topics(sub, was.topics_up_to - 1000);
		PERFORM subscriptions.pass_ends(sub.id);
		-- All are counted now and then, in case somebody has deleted some. A long snapshot makes that long.
		outstanding := was.outstanding - given_up;
		IF random() < 0.02 THEN
			SELECT coalesce(sum(y.size), 0) INTO outstanding FROM subscriptions.exceptions y WHERE y.subscription = sub.id;
		END IF;
		IF outstanding <> was.outstanding OR topics_up_to > was.topics_up_to THEN
			PERFORM subscriptions.note_state(was, was.horizon, outstanding - was.outstanding, 0,
				greatest(topics_up_to, was.topics_up_to));
		END IF;
	END LOOP;
END $$;--> statement-breakpoint
-- Where somebody has deleted the last rows of a log, there is nothing to hand out up to its head. Of 200 topics at a time.
CREATE FUNCTION "subscriptions"."pass_ends"(subscription integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	topic record;
	c subscriptions.cursors;
	start_at integer;
BEGIN
	SELECT (random() * max(m.topic_id))::integer INTO start_at FROM subscriptions.members m
	WHERE m.subscription = pass_ends.subscription;
	-- The heads first, the events in a later snapshot: up to a head that was seen, all that there is can be seen.
	FOR topic IN
		SELECT t.id, t.head, t.epoch FROM (
			SELECT * FROM subscriptions.members a WHERE a.subscription = pass_ends.subscription
			ORDER BY a.topic_id < start_at, a.topic_id LIMIT 200
		) m JOIN public.topics t ON t.id = m.topic_id CROSS JOIN LATERAL subscriptions.cursor_of(m.subscription, m.topic_id) p
		WHERE t.head > p.cursor
	LOOP
		SELECT * INTO c FROM subscriptions.cursor_of(pass_ends.subscription, topic.id);
		CONTINUE WHEN topic.epoch <> c.epoch
			OR EXISTS (SELECT FROM public.events e WHERE e.topic_id = topic.id AND e.seq > c.cursor);
		PERFORM subscriptions.note_cursor(c,
			subscriptions.floor_of(c.subscription, c.topic_id, c.floor, topic.head, c.waiting), topic.head, c.epoch, c.waiting,
			c.live, c.last_exception);
	END LOOP;
END $$;--> statement-breakpoint
-- Of a topic without events there is a place in it, and nothing else.
CREATE FUNCTION "subscriptions"."forget_topic"(topic integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	DELETE FROM subscriptions.cursors c WHERE c.topic_id = topic;
	DELETE FROM subscriptions.members m WHERE m.topic_id = topic;
$$;--> statement-breakpoint
-- As before, and subscriptions forget it with everybody else.
CREATE OR REPLACE FUNCTION "drop_topic"(unwanted text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	topic public.topics;
BEGIN
	SELECT * INTO topic FROM public.topics WHERE name = unwanted FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN CASE WHEN EXISTS (SELECT FROM public.topics WHERE name = unwanted) THEN 'in_use' ELSE 'unknown' END;
	END IF;
	IF topic.head > 0 OR topic.seen > topic.accounted
		OR topic.epoch > coalesce((SELECT max(f.epoch) FROM public.forks f WHERE f.topic_id = 0), 1)
		OR EXISTS (SELECT FROM public.dead_letters WHERE topic_id = topic.id) THEN
		RETURN 'in_use';
	END IF;
	PERFORM subscriptions.forget_topic(topic.id);
	DELETE FROM public.forks WHERE topic_id = topic.id;
	DELETE FROM public.topics WHERE id = topic.id;
	RETURN 'dropped';
END $$;--> statement-breakpoint
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "subscriptions", "sekali" FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	part text;
	command text;
BEGIN
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		GRANT USAGE ON SCHEMA subscriptions TO sekali_gateway;
		GRANT SELECT ON ALL TABLES IN SCHEMA subscriptions TO sekali_gateway;
		-- The others are parts of these, and whoever called them alone could settle what nobody has locked.
		REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriptions, sekali FROM sekali_gateway;
		GRANT EXECUTE ON FUNCTION subscriptions.pull(text, integer, integer, text, text),
			subscriptions.pull_grant(text, integer, integer, text, text), subscriptions.granted_json(text, text),
			subscriptions.settle(text, text[], text[], integer[], text[]), subscriptions.look(),
			subscriptions.figures(integer), subscriptions.set_state(text, text, text, text, timestamptz),
			subscriptions.put(text, text, text, text, json, jsonb, integer, integer, integer, integer, integer[], text, jsonb,
				text, text, timestamptz),
			subscriptions.seek(text, jsonb, boolean, text, text, timestamptz),
			subscriptions.remove(text, text, text, timestamptz),
			subscriptions.settle_dead(bigint, text, text, text, text, timestamptz) TO sekali_gateway;
	END IF;
	-- Whom the default privileges of roles.sql give every table.
	FOREACH part IN ARRAY ARRAY['consumer', 'projector'] LOOP
		CONTINUE WHEN to_regrole('sekali_' || part) IS NULL;
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA subscriptions FROM %I', 'sekali_' || part);
	END LOOP;
	-- Without roles.sql everything is its maker's; where it is run later, it does the same as this.
	IF to_regrole('sekali_subscriptions') IS NULL OR NOT pg_has_role('sekali_subscriptions', 'MEMBER') THEN RETURN; END IF;
	GRANT USAGE ON SCHEMA public, audit, access TO sekali_subscriptions;
	GRANT EXECUTE ON FUNCTION audit.append(text, text, text, text, jsonb), access.hold(text, timestamptz, text)
		TO sekali_subscriptions;
	GRANT SELECT ON public.topics, public.events, public.spans, public.forks, public.installation TO sekali_subscriptions;
	FOREACH part IN ARRAY ARRAY['subscriptions', 'sekali'] LOOP
		EXECUTE format('ALTER SCHEMA %I OWNER TO sekali_subscriptions', part);
		FOR command IN
			SELECT format('ALTER TABLE %s OWNER TO sekali_subscriptions', c.oid::regclass)
			FROM pg_class c WHERE c.relnamespace = part::regnamespace AND c.relkind = 'r' AND c.relowner = current_user::regrole
			UNION ALL
			SELECT format('ALTER TYPE %s OWNER TO sekali_subscriptions', c.oid::regclass)
			FROM pg_class c WHERE c.relnamespace = part::regnamespace AND c.relkind = 'c' AND c.relowner = current_user::regrole
			UNION ALL
			SELECT format('ALTER FUNCTION %s OWNER TO sekali_subscriptions', f.oid::regprocedure)
			FROM pg_proc f WHERE f.pronamespace = part::regnamespace AND f.proowner = current_user::regrole
		LOOP
			EXECUTE command;
		END LOOP;
	END LOOP;
END $$;
