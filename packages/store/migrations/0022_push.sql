-- Push subscriptions: the same floor and exceptions, handed out to dispatchers, which send them to a URL. ADR 49.
CREATE TABLE "subscriptions"."attempts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."attempts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"seq" bigint,
	"at" timestamp(6) with time zone NOT NULL,
	"subscription" integer NOT NULL,
	"topic_id" integer,
	"epoch" integer,
	"attempt" integer NOT NULL,
	"duration_ms" integer NOT NULL,
	"status" integer,
	"retry_in_s" integer,
	"is_cut" boolean DEFAULT false NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"error" text,
	"request" json NOT NULL,
	"response" json,
	"response_body" text
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."dispatchers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."endpoints" (
	"subscription" integer PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"header_names" text[] DEFAULT '{}' NOT NULL,
	"headers_sealed" "bytea",
	"headers_tag" "bytea",
	"concurrency" integer NOT NULL,
	"rate_per_s" integer,
	"timeout_s" integer NOT NULL,
	"body" text NOT NULL,
	"batch_max" integer NOT NULL,
	"state" text DEFAULT 'active' NOT NULL,
	"why" text,
	"since" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp(6) with time zone,
	"failed_at" timestamp(6) with time zone,
	"held_until" timestamp(6) with time zone,
	"holds" integer DEFAULT 0 NOT NULL,
	"probe_at" timestamp(6) with time zone,
	"dead_seen" bigint DEFAULT 0 NOT NULL,
	"changed_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "endpoints_words" CHECK ("subscriptions"."endpoints"."body" IN ('standard', 'event') AND "subscriptions"."endpoints"."state" IN ('active', 'degraded', 'disabled')
    AND ("subscriptions"."endpoints"."state" = 'disabled') = ("subscriptions"."endpoints"."why" IS NOT NULL) AND "subscriptions"."endpoints"."why" IN ('gone', 'failing', 'exhausted')),
	CONSTRAINT "endpoints_limits" CHECK ("subscriptions"."endpoints"."concurrency" BETWEEN 1 AND 200 AND "subscriptions"."endpoints"."rate_per_s" BETWEEN 1 AND 10000
    AND "subscriptions"."endpoints"."timeout_s" BETWEEN 1 AND 60 AND length("subscriptions"."endpoints"."url") <= 2048
    AND "subscriptions"."endpoints"."batch_max" BETWEEN 1 AND 500)
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."secrets" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."secrets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"subscription" integer NOT NULL,
	"sealed" "bytea" NOT NULL,
	"created_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"created_by" text NOT NULL,
	"expires_at" timestamp(6) with time zone
);
--> statement-breakpoint
CREATE TABLE "subscriptions"."tests" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subscriptions"."tests_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"asked_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"taken_at" timestamp(6) with time zone,
	"attempt" bigint,
	"subscription" integer NOT NULL,
	"asked_by" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "subscriptions"."subscriptions" DROP CONSTRAINT "subscriptions_words";--> statement-breakpoint
ALTER TABLE "subscriptions"."endpoints" ADD CONSTRAINT "endpoints_subscription_subscriptions_id_fk" FOREIGN KEY ("subscription") REFERENCES "subscriptions"."subscriptions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subscriptions"."secrets" ADD CONSTRAINT "secrets_subscription_subscriptions_id_fk" FOREIGN KEY ("subscription") REFERENCES "subscriptions"."subscriptions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subscriptions"."tests" ADD CONSTRAINT "tests_subscription_subscriptions_id_fk" FOREIGN KEY ("subscription") REFERENCES "subscriptions"."subscriptions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "attempts_of" ON "subscriptions"."attempts" USING btree ("subscription","id");--> statement-breakpoint
CREATE INDEX "attempts_event" ON "subscriptions"."attempts" USING btree ("subscription","topic_id","seq","id");--> statement-breakpoint
CREATE INDEX "secrets_of" ON "subscriptions"."secrets" USING btree ("subscription","id");--> statement-breakpoint
ALTER TABLE "subscriptions"."subscriptions" ADD CONSTRAINT "subscriptions_words" CHECK ("subscriptions"."subscriptions"."kind" IN ('pull', 'push') AND "subscriptions"."subscriptions"."ordering" IN ('none', 'source', 'topic')
    AND ("subscriptions"."subscriptions"."on_exhausted" IN ('skip', 'block') OR "subscriptions"."subscriptions"."on_exhausted" = 'stop' AND "subscriptions"."subscriptions"."kind" = 'push')
    AND "subscriptions"."subscriptions"."state" IN ('active', 'paused'));--> statement-breakpoint
-- Bytes of an event in a body, and no fewer, whichever body it is (webhook/src/body.ts): beside payload, topic, source and
-- event id only names, times and numbers, which need less than 300.
CREATE FUNCTION "subscriptions"."body_bytes"(item "subscriptions"."item") RETURNS integer LANGUAGE sql IMMUTABLE AS $$
	SELECT octet_length(item.payload) + octet_length(item.topic) + octet_length(to_json(item.source)::text)
		+ octet_length(to_json(item.event_id)::text) + 300
$$;--> statement-breakpoint
-- Hands out events under a new grant, as pull does since 0021, whose body this is, in a subscription that is locked. What goes
-- out for the first time goes in arrays of `batch_max` events and `array_bytes`; one event whatever its size. What goes out again
-- goes alone, so that an event that is refused holds up no other. It says how many requests there are at most, of the first kind,
-- of the second kind and of both. The last row says how many events are in each array; before them come those that go again.
-- `settled`: the events more that are outstanding for what the caller has settled in this turn: none, or fewer; NULL where it has
-- settled nothing.
CREATE FUNCTION "subscriptions"."hand_out"(sub "subscriptions"."subscriptions", settled integer, first_max integer,
	again_max integer, max_requests integer, max_bytes integer, batch_max integer, array_bytes integer, worker text, own uuid)
RETURNS SETOF "subscriptions"."item"
LANGUAGE plpgsql AS $$
DECLARE
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
	picked bigint[];
	sources text[];
	live bigint[];
	last_exception bigint;
	exception_id bigint;
	want integer;
	room integer;
	next_cursor bigint;
	looked_due integer := 0;
	spent bigint := 0;
	count_given integer := 0;
	stopped boolean;
	is_full boolean := false;
	more boolean := false;
	more_again boolean := false;
	held_back boolean := false;
	by_topic CONSTANT boolean := sub.ordering = 'topic';
	-- Of each array how many events, and of the last one how many bytes.
	arrays integer[] := '{}';
	arrays_max integer;
	array_spent bigint := 0;
	bytes integer := 0;
	is_new boolean;
	is_packed boolean := false;
	is_lost boolean;
	attempt_now integer;
	wrote boolean := false;
	grew integer := coalesce(hand_out.settled, 0);
	count_again integer := 0;
	waited integer := 0;
	start_at integer;
BEGIN
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
			more_again := true;
		END IF;
		IF x.leased AND subscriptions.stood_still(x.since, x.due_at) > interval '0' THEN
			UPDATE subscriptions.exceptions y SET due_at = y.due_at + subscriptions.stood_still(y.since, y.due_at), since = clock
			WHERE y.id = x.id RETURNING y.* INTO x;
			wrote := true;
			CONTINUE WHEN x.due_at > clock;
		END IF;
		-- A dispatcher died, or could not answer: whether it has sent anything nobody knows, and so it is no attempt; but not for
		-- ever, as the event may be what ends dispatchers.
		is_lost := x.leased AND cardinality(x.priors) < 19;
		attempt_now := x.attempt + CASE WHEN is_lost THEN 0 ELSE 1 END;
		IF x.attempt >= sub.deliveries_max AND NOT is_lost THEN
			PERFORM subscriptions.give_up(x, x.open, 'exhausted');
			DELETE FROM subscriptions.exceptions y WHERE y.id = x.id;
			grew := grew - x.size;
			CONTINUE;
		END IF;
		want := least(hand_out.max_requests, hand_out.again_max) - count_again;
		SELECT n.name, EXISTS (SELECT FROM public.forks f WHERE f.topic_id = x.topic_id AND f.epoch > x.epoch)
		INTO topic, has_forked FROM subscriptions.members n WHERE n.subscription = sub.id AND n.topic_id = x.topic_id;
		IF want <= 0 OR count_given > 0 AND spent >= hand_out.max_bytes OR has_forked THEN
			horizon_to := least(horizon_to, x.due_at - interval '1 us');
			more_again := true;
			more := more OR has_forked;
			EXIT;
		END IF;
		seqs := x.open;
		IF sub.ordering <> 'none' THEN
			SELECT * INTO c FROM subscriptions.cursor_of(sub.id, x.topic_id);
			seqs := subscriptions.eligible(sub, c, x, own, clock);
			-- What is sent is sent all at once: of a topic that has an order one event at a time.
			IF by_topic THEN
				want := 1;
				IF EXISTS (SELECT FROM subscriptions.live_of(c) y WHERE y.grant_id = own) THEN seqs := '{}'; END IF;
			END IF;
		END IF;
		picked := '{}';
		stopped := false;
		FOR item IN SELECT * FROM subscriptions.events_of(x.topic_id, topic, x.epoch, attempt_now, seqs, want) LOOP
			IF count_given > 0 AND spent + octet_length(item.payload) > hand_out.max_bytes THEN
				stopped := true;
				EXIT;
			END IF;
			RETURN NEXT item;
			spent := spent + octet_length(item.payload);
			count_given := count_given + 1;
			count_again := count_again + 1;
			picked := picked || item.seq;
		END LOOP;
		stopped := stopped OR cardinality(picked) = want;
		-- Events whose rows somebody has deleted are settled with those before which they stood.
		considered := CASE WHEN stopped
			THEN seqs * int8multirange(int8range(NULL, coalesce(picked[cardinality(picked)], 0), '(]')) ELSE seqs END;
		SELECT coalesce(range_agg(int8range(s, s + 1)), '{}') INTO given FROM unnest(picked) s;
		-- With an order, those are not among what is eligible: where none of the rest has a row, it is settled as well.
		rest := x.open - considered;
		IF sub.ordering <> 'none' AND NOT isempty(rest) THEN
			SELECT coalesce(range_agg(int8range(e.seq, e.seq + 1)), '{}') INTO rest
			FROM subscriptions.rows_of(x.topic_id, rest) e;
		END IF;
		grew := grew - x.size + cardinality(picked) + subscriptions.count_in(rest);
		IF NOT isempty(rest) THEN horizon_to := least(horizon_to, x.due_at - interval '1 us'); END IF;
		more_again := more_again OR stopped AND NOT (by_topic AND cardinality(picked) > 0);
		held_back := held_back OR NOT isempty(rest);
		CONTINUE WHEN cardinality(picked) = 0 AND rest = x.open;
		IF isempty(rest) THEN
			DELETE FROM subscriptions.exceptions y WHERE y.id = x.id;
		ELSE
			UPDATE subscriptions.exceptions y SET open = rest, size = subscriptions.count_in(rest),
				sources = CASE WHEN sub.ordering = 'source' THEN subscriptions.sources_of(x.topic_id, rest) END
			WHERE y.id = x.id;
		END IF;
		wrote := true;
		CONTINUE WHEN cardinality(picked) = 0;
		INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, grant_id, priors, leased, attempt, open, size,
			since, due_at, worker, sources, redriven)
		VALUES (sub.id, x.topic_id, x.epoch, own, array_remove(x.grant_id || x.priors[1:19], NULL), true, attempt_now,
			given, cardinality(picked), clock, until, hand_out.worker,
			CASE WHEN sub.ordering = 'source' THEN subscriptions.sources_of(x.topic_id, given) END, x.redriven);
	END LOOP;

	arrays_max := least(hand_out.max_requests - count_again, hand_out.first_max);
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
		-- With the order of topics an array is of one topic: the next one of that waits for it.
		want := (arrays_max - cardinality(arrays)) * batch_max
			+ CASE WHEN by_topic THEN 0 ELSE coalesce(batch_max - arrays[cardinality(arrays)], 0) END;
		IF want <= 0 OR is_packed OR count_given > 0 AND spent >= hand_out.max_bytes THEN
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
		IF by_topic AND (
			EXISTS (SELECT FROM subscriptions.live_of(c))
			OR sub.on_exhausted = 'block' AND EXISTS (SELECT FROM subscriptions.dead d
				WHERE d.subscription = sub.id AND d.topic_id = m.topic_id AND d.state = 'open')) THEN
			held_back := true;
			CONTINUE;
		END IF;
		IF by_topic THEN want := least(want, batch_max); END IF;
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
		picked := '{}';
		sources := '{}';
		stopped := false;
		FOR item IN SELECT * FROM subscriptions.events_of(m.topic_id, m.name, c.epoch, 1, seqs, want) LOOP
			IF count_given > 0 AND spent + octet_length(item.payload) > hand_out.max_bytes THEN
				stopped := true;
				EXIT;
			END IF;
			IF batch_max > 1 THEN bytes := subscriptions.body_bytes(item); END IF;
			is_new := cardinality(arrays) = 0 OR arrays[cardinality(arrays)] >= batch_max OR array_spent + bytes > array_bytes
				OR by_topic AND cardinality(picked) = 0;
			is_packed := is_new AND cardinality(arrays) >= arrays_max;
			IF is_packed OR is_new AND by_topic AND cardinality(picked) > 0 THEN
				stopped := true;
				EXIT;
			END IF;
			IF is_new THEN
				arrays := arrays || 1;
				array_spent := bytes;
			ELSE
				arrays[cardinality(arrays)] := arrays[cardinality(arrays)] + 1;
				array_spent := array_spent + bytes;
			END IF;
			RETURN NEXT item;
			spent := spent + octet_length(item.payload);
			count_given := count_given + 1;
			picked := picked || item.seq;
			-- With that order one event of each: none comes twice.
			IF sub.ordering = 'source' THEN sources := sources || item.source; END IF;
		END LOOP;
		SELECT coalesce(range_agg(int8range(s, s + 1)), '{}') INTO given FROM unnest(picked) s;
		stopped := stopped OR cardinality(picked) = want;
		-- What follows these waits for them.
		held_back := held_back OR by_topic;
		more := more OR stopped AND NOT by_topic;
		rest := '{}';
		next_cursor := coalesce(picked[cardinality(picked)], c.cursor);
		IF sub.ordering = 'source' THEN
			rest := choice.pool - given;
			next_cursor := choice.looked;
			more := more OR choice.more;
			waited := waited + subscriptions.count_in(rest) - subscriptions.count_in(c.waiting);
		ELSIF is_chosen THEN
			more := more OR choice.more;
			IF given = choice.chosen THEN next_cursor := choice.looked; END IF;
		END IF;
		CONTINUE WHEN cardinality(picked) = 0 AND next_cursor = c.cursor AND rest = c.waiting;
		wrote := true;
		live := '{}';
		last_exception := 0;
		IF sub.ordering <> 'none' THEN
			SELECT coalesce(array_agg(y.id), '{}'), greatest(c.last_exception, max(y.id)) INTO live, last_exception
			FROM subscriptions.live_of(c) y;
		END IF;
		IF cardinality(picked) > 0 THEN
			INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, grant_id, leased, attempt, open, size, since,
				due_at, worker, sources)
			VALUES (sub.id, m.topic_id, c.epoch, own, true, 1, given, cardinality(picked), clock, until, hand_out.worker,
				CASE WHEN sub.ordering = 'source' THEN sources END)
			RETURNING id INTO exception_id;
			IF sub.ordering <> 'none' THEN
				live := live || exception_id;
				last_exception := exception_id;
			END IF;
			grew := grew + cardinality(picked);
		END IF;
		PERFORM subscriptions.note_cursor(c,
			subscriptions.floor_of(sub.id, m.topic_id, c.floor, next_cursor, rest), next_cursor, c.epoch, rest, live,
			last_exception);
	END LOOP;

	-- Where as much was settled as is handed out, the state is the one before.
	IF wrote AND (hand_out.settled IS NULL OR waited <> 0) OR grew <> 0 OR topics_up_to <> was.topics_up_to OR horizon_to > was.horizon + interval '10 s' THEN
		PERFORM subscriptions.note_state(was, greatest(was.horizon, horizon_to), grew, waited, topics_up_to);
	ELSIF NOT wrote AND hand_out.settled IS NULL THEN
		-- Nothing was written that must outlive a crash, so COMMIT need not wait for the disk.
		PERFORM set_config('synchronous_commit', 'off', true);
	END IF;
	item := NULL;
	item.payload := json_build_object('state', 'given', 'subscription', sub.id, 'generation', sub.generation,
		'lease_s', sub.lease_s, 'lease_until', CASE WHEN count_given > 0 THEN until::text END, 'more', more OR more_again,
		'arrays', arrays, 'more_first', more, 'more_again', more_again, 'held_back', held_back OR is_full OR was.waiting + waited > 0,
		'blocked_by', CASE WHEN is_full AND count_given = 0 THEN subscriptions.blocked_by(sub.id, sub.ordering) ELSE '[]' END,
		'next_due_at', CASE WHEN (count_given = 0 OR sub.kind = 'push') AND was.outstanding + grew > 0 THEN (
			SELECT y.due_at::text FROM subscriptions.exceptions y WHERE y.subscription = sub.id AND y.due_at > clock
			ORDER BY y.due_at LIMIT 1) END);
	RETURN NEXT item;
END $$;--> statement-breakpoint
-- Creates a subscription of a kind, as put does since 0021, whose body this is.
CREATE FUNCTION "subscriptions"."put_kind"(kind text, name text, topics text, topics_match text, ordering text, filter json, conditions jsonb,
	source_batch integer, lease_s integer, outstanding_max integer, deliveries_max integer, backoff_s integer[],
	on_exhausted text, start jsonb, actor text, client text, until timestamptz, OUT outcome text, OUT field text)
LANGUAGE plpgsql AS $$
DECLARE
	sub subscriptions.subscriptions;
	was subscriptions.states;
	changes jsonb;
	given_up integer;
BEGIN
	IF access.hold(put_kind.actor, put_kind.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
	-- Of two that make the same one at once the second finds it.
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(put_kind.name);
	IF sub.id IS NULL THEN
		IF (SELECT count(*) FROM subscriptions.subscriptions) >= 1000 THEN
			outcome := 'too_many';
			RETURN;
		END IF;
		IF subscriptions.is_ahead(put_kind.topics_match, put_kind.start) THEN
			outcome := 'cursor_ahead';
			RETURN;
		END IF;
		INSERT INTO subscriptions.subscriptions AS s (kind, name, topics, topics_match, ordering, filter, filter_sources,
			filter_payload, source_batch, lease_s, outstanding_max, deliveries_max, backoff_s, on_exhausted, created_by)
		VALUES (put_kind.kind, put_kind.name, put_kind.topics, put_kind.topics_match, put_kind.ordering, put_kind.filter,
			CASE WHEN put_kind.filter -> 'sources' IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(put_kind.filter -> 'sources')) END,
			put_kind.conditions, put_kind.source_batch, put_kind.lease_s, put_kind.outstanding_max, put_kind.deliveries_max, put_kind.backoff_s,
			put_kind.on_exhausted, put_kind.actor)
		RETURNING s.* INTO sub;
		INSERT INTO subscriptions.states (subscription, revision, horizon, outstanding, waiting, topics_up_to)
		SELECT sub.id, 1, clock_timestamp(), 0, 0, coalesce(max(t.id), 0) FROM public.topics t;
		PERFORM subscriptions.set_places(sub, put_kind.start);
		PERFORM audit.append(put_kind.actor, put_kind.client, 'subscription_created', put_kind.name, jsonb_build_object(
			'topics', put_kind.topics, 'order', put_kind.ordering, 'filter', put_kind.filter, 'from', put_kind.start));
		outcome := 'created';
		RETURN;
	END IF;
	field := CASE WHEN sub.kind <> put_kind.kind THEN 'kind' WHEN sub.topics <> put_kind.topics THEN 'topics' WHEN sub.ordering <> put_kind.ordering THEN 'order'
		WHEN sub.filter::text <> put_kind.filter::text THEN 'filter' WHEN sub.source_batch <> put_kind.source_batch THEN 'source_batch' END;
	IF field IS NOT NULL THEN
		outcome := 'immutable';
		RETURN;
	END IF;
	SELECT jsonb_object_agg(n.key, n.value) INTO changes FROM jsonb_each(jsonb_build_object('lease_s', put_kind.lease_s,
		'outstanding_max', put_kind.outstanding_max, 'deliveries_max', put_kind.deliveries_max, 'backoff_s', put_kind.backoff_s,
		'on_exhausted', put_kind.on_exhausted)) n WHERE n.value <> to_jsonb(sub) -> n.key;
	IF changes IS NULL THEN
		outcome := 'same';
		RETURN;
	END IF;
	UPDATE subscriptions.subscriptions s SET lease_s = put_kind.lease_s, outstanding_max = put_kind.outstanding_max,
		deliveries_max = put_kind.deliveries_max, backoff_s = put_kind.backoff_s, on_exhausted = put_kind.on_exhausted,
		changed_at = clock_timestamp() WHERE s.id = sub.id RETURNING s.* INTO sub;
	-- Judged now: what is over the new bound must not wait for its retry.
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	given_up := subscriptions.exhaust(sub, NULL);
	IF given_up > 0 THEN PERFORM subscriptions.note_state(was, was.horizon, -given_up, 0, was.topics_up_to); END IF;
	PERFORM audit.append(put_kind.actor, put_kind.client, 'subscription_changed', put_kind.name, changes);
	outcome := 'changed';
END $$;--> statement-breakpoint
CREATE OR REPLACE FUNCTION "subscriptions"."put"(name text, topics text, topics_match text, ordering text, filter json,
	conditions jsonb, source_batch integer, lease_s integer, outstanding_max integer, deliveries_max integer,
	backoff_s integer[], on_exhausted text, start jsonb, actor text, client text, until timestamptz, OUT outcome text,
	OUT field text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	SELECT * FROM subscriptions.put_kind('pull', put.name, put.topics, put.topics_match, put.ordering, put.filter,
		put.conditions, put.source_batch, put.lease_s, put.outstanding_max, put.deliveries_max, put.backoff_s,
		put.on_exhausted, put.start, put.actor, put.client, put.until)
$$;--> statement-breakpoint
-- Creates a push subscription, finds that it is as wanted, or changes what may change. The secret counts when it is created.
CREATE FUNCTION "subscriptions"."put_push"(name text, topics text, topics_match text, ordering text, filter json,
	conditions jsonb, retry_s integer[], on_exhausted text, start jsonb, endpoint jsonb, headers_sealed bytea,
	headers_tag bytea, secret bytea, actor text, client text, until timestamptz, OUT outcome text, OUT field text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	wanted subscriptions.endpoints := jsonb_populate_record(NULL::subscriptions.endpoints, endpoint);
	was subscriptions.endpoints;
	changes jsonb;
BEGIN
	-- A lease is as long as an answer may take, and what it takes to write it down.
	SELECT * INTO outcome, field FROM subscriptions.put_kind('push', put_push.name, put_push.topics, put_push.topics_match,
		put_push.ordering, put_push.filter, put_push.conditions, 1, wanted.timeout_s + 10, 10000,
		cardinality(put_push.retry_s) + 1, put_push.retry_s, put_push.on_exhausted, put_push.start, put_push.actor,
		put_push.client, put_push.until) p (outcome, field);
	IF outcome = 'created' THEN
		INSERT INTO subscriptions.endpoints (subscription, url, header_names, headers_sealed, headers_tag, concurrency,
			rate_per_s, timeout_s, body, batch_max)
		SELECT s.id, wanted.url, wanted.header_names, put_push.headers_sealed, put_push.headers_tag, wanted.concurrency,
			wanted.rate_per_s, wanted.timeout_s, wanted.body, wanted.batch_max
		FROM subscriptions.subscriptions s WHERE s.name = put_push.name;
		INSERT INTO subscriptions.secrets (subscription, sealed, created_by)
		SELECT s.id, put_push.secret, put_push.actor FROM subscriptions.subscriptions s WHERE s.name = put_push.name;
	ELSIF outcome IN ('same', 'changed') THEN
		SELECT e.* INTO was FROM subscriptions.endpoints e JOIN subscriptions.subscriptions s ON s.id = e.subscription
		WHERE s.name = put_push.name;
		SELECT jsonb_object_agg(n.key, n.value) INTO changes FROM jsonb_each(endpoint) n
		WHERE n.value IS DISTINCT FROM to_jsonb(was) -> n.key;
		IF was.headers_tag IS DISTINCT FROM put_push.headers_tag THEN
			changes := coalesce(changes, '{}') || '{"headers": "changed"}';
		END IF;
		IF changes IS NULL THEN RETURN; END IF;
		-- Where it leads elsewhere, what failed there before says nothing; who has disabled it resumes it.
		UPDATE subscriptions.endpoints e SET url = wanted.url, header_names = wanted.header_names,
			headers_sealed = put_push.headers_sealed, headers_tag = put_push.headers_tag, concurrency = wanted.concurrency,
			rate_per_s = wanted.rate_per_s, timeout_s = wanted.timeout_s, body = wanted.body,
			batch_max = wanted.batch_max, failures = 0, failing_since = NULL, failed_at = NULL, held_until = NULL, holds = 0, changed_at = clock_timestamp(),
			state = CASE e.state WHEN 'degraded' THEN 'active' ELSE e.state END
		WHERE e.subscription = was.subscription;
		PERFORM audit.append(put_push.actor, put_push.client, 'subscription_changed', put_push.name, changes);
		outcome := 'changed';
	END IF;
END $$;--> statement-breakpoint
-- As before, and what is resumed is tried again, whatever has disabled it.
CREATE OR REPLACE FUNCTION "subscriptions"."set_state"(name text, state text, actor text, client text, until timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
	tried_again boolean := false;
BEGIN
	IF access.hold(set_state.actor, set_state.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	PERFORM subscriptions.lock_all();
	sub := subscriptions.lock_one(set_state.name);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	IF set_state.state = 'active' THEN
		UPDATE subscriptions.endpoints e SET state = 'active', why = NULL, since = clock_timestamp(), failures = 0,
			failing_since = NULL, failed_at = NULL, held_until = NULL, holds = 0, probe_at = NULL,
			dead_seen = coalesce((SELECT max(d.id) FROM subscriptions.dead d WHERE d.subscription = sub.id), 0),
			changed_at = clock_timestamp()
		WHERE e.subscription = sub.id AND (e.state <> 'active' OR e.failures > 0 OR e.held_until IS NOT NULL);
		tried_again := FOUND;
	END IF;
	IF sub.state = set_state.state AND NOT tried_again THEN RETURN 'set'; END IF;
	UPDATE subscriptions.subscriptions s SET state = set_state.state, changed_at = clock_timestamp() WHERE s.id = sub.id;
	PERFORM audit.append(set_state.actor, set_state.client,
		CASE set_state.state WHEN 'paused' THEN 'subscription_paused' ELSE 'subscription_resumed' END, set_state.name, '{}');
	RETURN 'set';
END $$;--> statement-breakpoint
-- One more secret; those before it are valid for a day more.
CREATE FUNCTION "subscriptions"."rotate_secret"(name text, sealed bytea, actor text, client text, until timestamptz,
	OUT outcome text, OUT id integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
	clock timestamptz;
BEGIN
	IF access.hold(rotate_secret.actor, rotate_secret.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
	sub := subscriptions.lock_one(rotate_secret.name);
	outcome := CASE WHEN sub.id IS NULL THEN 'unknown' WHEN sub.kind <> 'push' THEN 'not_push' END;
	IF outcome IS NOT NULL THEN RETURN; END IF;
	clock := clock_timestamp();
	DELETE FROM subscriptions.secrets s WHERE s.subscription = sub.id AND s.expires_at <= clock;
	IF (SELECT count(*) FROM subscriptions.secrets s WHERE s.subscription = sub.id) >= 5 THEN
		outcome := 'too_many';
		RETURN;
	END IF;
	UPDATE subscriptions.secrets s SET expires_at = clock + interval '24 hours'
	WHERE s.subscription = sub.id AND s.expires_at IS NULL;
	INSERT INTO subscriptions.secrets AS s (subscription, sealed, created_by)
	VALUES (sub.id, rotate_secret.sealed, rotate_secret.actor) RETURNING s.id INTO id;
	UPDATE subscriptions.endpoints e SET changed_at = clock WHERE e.subscription = sub.id;
	PERFORM audit.append(rotate_secret.actor, rotate_secret.client, 'secret_rotated', rotate_secret.name,
		jsonb_build_object('id', id));
	outcome := 'rotated';
END $$;--> statement-breakpoint
-- The newest one stays: without any there is nothing to sign with.
CREATE FUNCTION "subscriptions"."remove_secret"(name text, secret integer, actor text, client text, until timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	IF access.hold(remove_secret.actor, remove_secret.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	sub := subscriptions.lock_one(remove_secret.name);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	IF sub.kind <> 'push' THEN RETURN 'not_push'; END IF;
	IF secret = (SELECT max(s.id) FROM subscriptions.secrets s WHERE s.subscription = sub.id) THEN RETURN 'last_one'; END IF;
	DELETE FROM subscriptions.secrets s WHERE s.subscription = sub.id AND s.id = secret;
	IF NOT FOUND THEN RETURN 'no_such_secret'; END IF;
	UPDATE subscriptions.endpoints e SET changed_at = clock_timestamp() WHERE e.subscription = sub.id;
	PERFORM audit.append(remove_secret.actor, remove_secret.client, 'secret_removed', remove_secret.name,
		jsonb_build_object('id', secret));
	RETURN 'removed';
END $$;--> statement-breakpoint
-- Has one event delivered now, whatever became of it: one that waits for its retry need not wait, one that was given up or
-- delivered goes out once more. Floors do not move. `not_yet`: it was not looked at so far, and needs no help.
CREATE FUNCTION "subscriptions"."redeliver"(name text, topic text, wanted bigint, actor text, client text,
	until timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	sub subscriptions.subscriptions;
	was subscriptions.states;
	c subscriptions.cursors;
	x subscriptions.exceptions;
	member integer;
	letter bigint;
	became text;
	grew integer := 0;
BEGIN
	IF access.hold(redeliver.actor, redeliver.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	sub := subscriptions.lock_one(redeliver.name);
	IF sub.id IS NULL THEN RETURN 'unknown'; END IF;
	IF sub.kind <> 'push' THEN RETURN 'not_push'; END IF;
	SELECT m.topic_id INTO member FROM subscriptions.members m JOIN public.topics t ON t.id = m.topic_id
	WHERE m.subscription = sub.id AND t.name = redeliver.topic;
	IF member IS NULL OR NOT EXISTS (SELECT FROM public.events e WHERE e.topic_id = member AND e.seq = wanted) THEN
		RETURN 'not_found';
	END IF;
	SELECT * INTO c FROM subscriptions.cursor_of(sub.id, member);
	-- What a restore took away may lie below the cursor, until somebody hands out what follows.
	IF wanted > c.cursor OR c.waiting @> wanted
		OR EXISTS (SELECT FROM public.forks f WHERE f.topic_id = member AND f.epoch > c.epoch AND f.forked_at < wanted) THEN
		RETURN 'not_yet';
	END IF;
	SELECT * INTO was FROM subscriptions.state_of(sub.id);
	SELECT * INTO x FROM subscriptions.exceptions y
	WHERE y.subscription = sub.id AND y.topic_id = member AND y.open @> wanted ORDER BY y.id DESC LIMIT 1;
	IF x.leased AND x.due_at > clock_timestamp() THEN RETURN 'in_flight'; END IF;
	IF x.id IS NOT NULL THEN
		-- One whose lease has run out is due already.
		IF NOT x.leased AND x.attempt < sub.deliveries_max THEN
			grew := subscriptions.settle_part(sub, was.horizon, x, int8multirange(int8range(wanted, wanted + 1)), 'nak', 0, NULL);
		END IF;
	ELSE
		IF was.outstanding >= sub.outstanding_max THEN RETURN 'too_many'; END IF;
		SELECT max(d.id) INTO letter FROM subscriptions.dead d
		WHERE d.subscription = sub.id AND d.topic_id = member AND d.seq = wanted AND d.state = 'open';
		IF letter IS NOT NULL THEN
			became := subscriptions.settle_dead(letter, 'redriven', NULL, redeliver.actor, redeliver.client, redeliver.until);
			RETURN CASE became WHEN 'redriven' THEN 'queued' WHEN 'gone' THEN 'not_found' ELSE became END;
		END IF;
		INSERT INTO subscriptions.exceptions (subscription, topic_id, epoch, leased, attempt, open, size, since, due_at,
			sources, redriven)
		SELECT sub.id, member, c.epoch, false, 0, int8multirange(int8range(wanted, wanted + 1)), 1, clock_timestamp(),
			greatest(clock_timestamp(), was.horizon + interval '1 us'),
			CASE WHEN sub.ordering = 'source' THEN subscriptions.sources_of(member, int8multirange(int8range(wanted, wanted + 1))) END,
			true;
		grew := 1;
	END IF;
	IF grew <> 0 THEN PERFORM subscriptions.note_state(was, was.horizon, grew, 0, was.topics_up_to); END IF;
	PERFORM audit.append(redeliver.actor, redeliver.client, 'delivery_retried', redeliver.name,
		jsonb_build_object('topic', redeliver.topic, 'seq', wanted));
	RETURN 'queued';
END $$;--> statement-breakpoint
-- Asks for a sample. A few of a subscription at a time; those of before are forgotten after an hour.
CREATE FUNCTION "subscriptions"."ask_test"(name text, actor text, client text, until timestamptz, OUT outcome text,
	OUT id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub subscriptions.subscriptions;
BEGIN
	IF access.hold(ask_test.actor, ask_test.until, NULL) IS NULL THEN
		outcome := 'actor_ended';
		RETURN;
	END IF;
	sub := subscriptions.lock_one(ask_test.name);
	outcome := CASE WHEN sub.id IS NULL THEN 'unknown' WHEN sub.kind <> 'push' THEN 'not_push'
		WHEN (SELECT count(*) FROM subscriptions.tests t WHERE t.subscription = sub.id AND t.attempt IS NULL
			AND t.asked_at > clock_timestamp() - interval '2 minutes') >= 5 THEN 'too_many' END;
	IF outcome IS NOT NULL THEN RETURN; END IF;
	DELETE FROM subscriptions.tests t WHERE t.subscription = sub.id AND t.asked_at < clock_timestamp() - interval '1 hour';
	INSERT INTO subscriptions.tests AS t (subscription, asked_by) VALUES (sub.id, ask_test.actor) RETURNING t.id INTO id;
	PERFORM audit.append(ask_test.actor, ask_test.client, 'subscription_tested', ask_test.name, '{}');
	outcome := 'asked';
END $$;--> statement-breakpoint
-- Writes down what was sent and what came back, for each event of a request.
CREATE FUNCTION "subscriptions"."note_attempts"(subscription integer, outcomes json) RETURNS SETOF bigint LANGUAGE sql AS $$
	INSERT INTO subscriptions.attempts AS a (at, subscription, topic_id, epoch, seq, attempt, duration_ms, status, retry_in_s,
		is_cut, kind, state, error, request, response, response_body)
	SELECT clock_timestamp() - o.age_ms * interval '1 ms', note_attempts.subscription, e.topic_id, e.epoch, e.seq, o.attempt,
		o.duration_ms, o.status, o.retry_in_s, coalesce(o.is_cut, false), o.kind, o.state, o.error, o.request, o.response,
		o.response_body
	FROM json_to_recordset(outcomes) AS o (age_ms bigint, topic_id integer, epoch integer, seq bigint, attempt integer,
		duration_ms integer, status integer, retry_in_s integer, is_cut boolean, kind text, state text, error text,
		request json, response json, response_body text, also json)
		CROSS JOIN LATERAL (
			SELECT o.topic_id, o.epoch, o.seq
			UNION ALL
			SELECT a.topic_id, a.epoch, a.seq FROM json_to_recordset(o.also) AS a (topic_id integer, epoch integer, seq bigint)
		) e
	WHERE o.state IS NOT NULL
	RETURNING a.id
$$;--> statement-breakpoint
-- Settles what a dispatcher was given, by its tokens, or with a grant's token all of that. Gives how many events more are outstanding: none, or fewer.
CREATE FUNCTION "subscriptions"."settle_outcomes"(sub "subscriptions"."subscriptions", outcomes json) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
	horizon CONSTANT timestamptz := (SELECT s.horizon FROM subscriptions.state_of(sub.id) s);
	g record;
	x subscriptions.exceptions;
	part int8multirange;
	grew integer := 0;
BEGIN
	FOR g IN
		SELECT p.grant_id, p.topic_id, o."do" AS action, o.delay, o.reason,
			range_agg(int8range(p.seq, p.seq + 1)) FILTER (WHERE p.seq IS NOT NULL) AS wanted
		FROM json_to_recordset(outcomes) AS o (token text, "do" text, delay integer, reason text, also json)
			CROSS JOIN LATERAL (
				SELECT o.token UNION ALL SELECT a.token FROM json_to_recordset(o.also) AS a (token text)
			) e CROSS JOIN LATERAL subscriptions.read_token(e.token) p
		WHERE p.subscription = sub.id AND p.generation = sub.generation
		GROUP BY 1, 2, 3, 4, 5
	LOOP
		FOR x IN
			SELECT * FROM (SELECT * FROM subscriptions.exceptions o WHERE o.grant_id = g.grant_id OFFSET 0) y
			WHERE y.subscription = sub.id AND y.leased AND (g.topic_id IS NULL OR y.topic_id = g.topic_id)
		LOOP
			part := CASE WHEN g.topic_id IS NULL THEN x.open ELSE x.open * g.wanted END;
			CONTINUE WHEN isempty(part);
			grew := grew + subscriptions.settle_part(sub, horizon, x, part, g.action, g.delay, g.reason);
		END LOOP;
	END LOOP;
	RETURN grew;
END $$;--> statement-breakpoint
-- What becomes of an endpoint for what came back: see ADR 49. It counts requests, whatever was in them. A success ends all that failures have brought about, but for a
-- success of what was on its way when it was disabled.
CREATE FUNCTION "subscriptions"."judge"(sub "subscriptions"."subscriptions", e "subscriptions"."endpoints", outcomes json,
	options json) RETURNS "subscriptions"."endpoints" LANGUAGE plpgsql AS $$
DECLARE
	clock CONSTANT timestamptz := clock_timestamp();
	n record;
	y subscriptions.endpoints := e;
	step integer;
BEGIN
	SELECT count(*) FILTER (WHERE o.state = 'delivered') AS delivered,
		count(*) FILTER (WHERE o.state = 'delivered' AND o.kind = 'probe') AS proved,
		count(*) FILTER (WHERE o.state = 'failed') AS failed,
		coalesce(bool_or(o.state = 'failed' AND o.status = 410), false) AS is_gone,
		coalesce(bool_or(o.state = 'failed' AND o.status IN (429, 502, 503, 504)), false) AS is_busy,
		max(o.retry_after_s) FILTER (WHERE o.status IN (429, 502, 503, 504)) AS retry_after_s
	INTO n FROM json_to_recordset(outcomes) AS o (state text, kind text, status integer, retry_after_s bigint, request json)
	-- What was on its way when somebody named another URL says nothing of that.
	WHERE o.request IS NULL OR o.request ->> 'url' IS NULL OR o.request ->> 'url' = e.url;
	IF n.delivered + n.failed = 0 THEN RETURN e; END IF;
	IF n.is_gone AND e.why IS DISTINCT FROM 'gone' THEN
		y.state := 'disabled';
		y.why := 'gone';
		y.probe_at := NULL;
	ELSIF e.state = 'disabled' THEN
		IF n.proved = 0 THEN RETURN e; END IF;
		y.state := 'active';
		y.why := NULL;
	END IF;
	IF n.delivered > 0 AND NOT n.is_gone THEN
		IF y.state = 'degraded' THEN y.state := 'active'; END IF;
		y.failures := 0;
		y.failing_since := NULL;
		y.failed_at := NULL;
		-- One may be busy and yet answer some: that it is to be left alone for a while holds.
		IF y.held_until <= clock THEN y.held_until := NULL; END IF;
		IF NOT n.is_busy THEN y.holds := 0; END IF;
		y.probe_at := NULL;
	END IF;
	IF n.failed > 0 THEN
		y.failures := y.failures + n.failed;
		-- Silence is no failure: what failed two days ago and not since began anew.
		IF y.failing_since IS NULL OR clock - y.failed_at > interval '2 days' THEN y.failing_since := clock; END IF;
		IF y.state = 'active' AND n.delivered = 0 AND y.failures >= (options ->> 'degrade_after')::integer THEN
			y.state := 'degraded';
		END IF;
		IF y.state <> 'disabled' AND clock - y.failing_since >= (options ->> 'disable_after_s')::integer * interval '1 s'
			AND y.failed_at - y.failing_since >= (options ->> 'disable_span_s')::integer * interval '1 s' THEN
			y.state := 'disabled';
			y.why := 'failing';
			y.probe_at := clock + (options ->> 'probe_s')::integer * interval '1 s';
		END IF;
		y.failed_at := clock;
		IF (n.is_busy OR y.state = 'degraded') AND (y.held_until IS NULL OR y.held_until <= clock) THEN
			step := least(coalesce(sub.backoff_s[least(y.holds + 1, cardinality(sub.backoff_s))], 5),
				(options ->> 'hold_max_s')::integer);
			y.holds := y.holds + 1;
			y.held_until := clock + greatest(step, least(coalesce(n.retry_after_s, 0), 2 * step)) * interval '1 s';
		END IF;
	END IF;
	IF y IS NOT DISTINCT FROM e THEN RETURN e; END IF;
	IF y.state <> e.state THEN
		y.since := clock;
		y.changed_at := clock;
	END IF;
	UPDATE subscriptions.endpoints z SET state = y.state, why = y.why, since = y.since, failures = y.failures,
		failing_since = y.failing_since, failed_at = y.failed_at, held_until = y.held_until, holds = y.holds,
		probe_at = y.probe_at, changed_at = y.changed_at
	WHERE z.subscription = e.subscription;
	RETURN y;
END $$;--> statement-breakpoint
-- A dispatcher's turn: writes down what came of the events that it was given, and gives it others. No transaction is open while
-- it sends. `outcomes`: [{"token", "do", "delay", "reason", "age_ms", …}], as settle and note_attempts have them, one of each
-- request: `also` has token and place of its other events. One without a token is noted alone, one without a state is settled
-- alone. The last row says the rest.
CREATE FUNCTION "subscriptions"."push_turn"(name text, outcomes json, first_max integer, again_max integer,
	max_requests integer, max_bytes integer, worker text, grant_hex text, options json)
RETURNS SETOF "subscriptions"."item"
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
	sub CONSTANT subscriptions.subscriptions := subscriptions.lock_one(push_turn.name);
	clock timestamptz;
	e subscriptions.endpoints;
	item subscriptions.item;
	settled integer;
	last_dead bigint;
	is_probe boolean := false;
	is_known boolean;
	state text;
BEGIN
	-- One that was made anew has another id: what was sent before is none of its business.
	IF sub.id IS NULL OR sub.kind <> 'push' OR options ->> 'id' <> sub.id::text THEN
		item.payload := json_build_object('state', 'unknown');
		RETURN NEXT item;
		RETURN;
	END IF;
	SELECT * INTO e FROM subscriptions.endpoints z WHERE z.subscription = sub.id;
	-- Somebody has changed where it goes, or what signs it, and the dispatcher does not know it yet: it gets nothing to send.
	is_known := coalesce(options ->> 'version' = concat_ws(' ', sub.changed_at, sub.generation, e.changed_at, (
		SELECT count(*) FROM subscriptions.secrets x
		WHERE x.subscription = sub.id AND (x.expires_at IS NULL OR x.expires_at > clock_timestamp()))), true);
	IF json_array_length(outcomes) > 0 THEN
		settled := subscriptions.settle_outcomes(sub, outcomes);
		PERFORM subscriptions.note_attempts(sub.id, outcomes);
		e := subscriptions.judge(sub, e, outcomes, options);
	END IF;
	clock := clock_timestamp();
	IF sub.on_exhausted = 'stop' AND e.state <> 'disabled' THEN
		SELECT max(d.id) INTO last_dead FROM subscriptions.dead d WHERE d.subscription = sub.id;
		IF last_dead > e.dead_seen THEN
			UPDATE subscriptions.endpoints z SET state = 'disabled', why = 'exhausted', since = clock, changed_at = clock,
				dead_seen = last_dead WHERE z.subscription = sub.id RETURNING * INTO e;
		END IF;
	END IF;
	IF is_known AND e.state = 'disabled' AND sub.state <> 'paused' AND e.probe_at <= clock AND max_requests > 0 THEN
		is_probe := true;
		UPDATE subscriptions.endpoints z SET probe_at = clock + (options ->> 'probe_s')::integer * interval '1 s'
		WHERE z.subscription = sub.id RETURNING * INTO e;
	END IF;
	state := CASE WHEN sub.state = 'paused' THEN 'paused' WHEN is_probe THEN 'given' WHEN e.state = 'disabled' THEN 'disabled'
		WHEN e.held_until > clock OR NOT is_known THEN 'held' ELSE 'given' END;
	IF state <> 'given' OR max_requests = 0 THEN
		IF settled <> 0 THEN
			PERFORM subscriptions.note_state(s, s.horizon, settled, 0, s.topics_up_to) FROM subscriptions.state_of(sub.id) s;
		ELSIF settled IS NULL THEN
			PERFORM set_config('synchronous_commit', 'off', true);
		END IF;
		item.payload := json_build_object('state', state);
		IF max_requests = 0 AND state = 'given' THEN
			item.payload := json_build_object('state', 'given', 'subscription', sub.id, 'generation', sub.generation,
				'lease_s', sub.lease_s, 'next_due_at', (SELECT y.due_at::text FROM subscriptions.exceptions y
					WHERE y.subscription = sub.id AND y.due_at > clock ORDER BY y.due_at LIMIT 1));
		END IF;
	END IF;
	IF item.payload IS NOT NULL THEN
		item.payload := (item.payload::jsonb || subscriptions.endpoint_now(e, clock, is_probe)
			|| CASE WHEN is_known THEN '{}' ELSE '{"held_ms": 200}'::jsonb END)::text;
		RETURN NEXT item;
		RETURN;
	END IF;
	FOR item IN
		SELECT * FROM subscriptions.hand_out(sub, settled, CASE WHEN is_probe THEN 1 ELSE first_max END,
			CASE WHEN is_probe THEN 1 ELSE again_max END, CASE WHEN is_probe OR e.state = 'degraded' THEN 1 ELSE max_requests END,
			max_bytes, CASE WHEN is_probe OR e.state = 'degraded' THEN 1 ELSE e.batch_max END,
			(options ->> 'array_bytes')::integer, worker, grant_hex::uuid)
	LOOP
		IF item.seq IS NULL THEN
			item.payload := (item.payload::jsonb || subscriptions.endpoint_now(e, clock, is_probe))::text;
		END IF;
		RETURN NEXT item;
	END LOOP;
END $$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."endpoint_now"(e "subscriptions"."endpoints", clock timestamptz, is_probe boolean)
RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('endpoint', e.state, 'is_probe', is_probe, 'changed_at', e.changed_at::text,
		'held_ms', CASE WHEN e.held_until > clock THEN (extract(epoch FROM e.held_until - clock) * 1000)::bigint END,
		'probe_ms', CASE WHEN e.probe_at IS NOT NULL
			THEN greatest(0, (extract(epoch FROM e.probe_at - clock) * 1000)::bigint) END)
$$;--> statement-breakpoint
-- Says that a dispatcher runs, or that it leaves, and gives those that run. It notes as well that PostgreSQL answers.
CREATE FUNCTION "subscriptions"."push_beat"(me uuid, name text, leaves boolean) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	clock timestamptz;
BEGIN
	PERFORM subscriptions.beat(interval '0.9 s');
	clock := clock_timestamp();
	IF leaves THEN
		DELETE FROM subscriptions.dispatchers d WHERE d.id = me;
	ELSE
		INSERT INTO subscriptions.dispatchers AS d (id, at, name) VALUES (me, clock, push_beat.name)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at;
	END IF;
	DELETE FROM subscriptions.dispatchers d WHERE d.at < clock - interval '1 hour';
	RETURN QUERY SELECT d.id FROM subscriptions.dispatchers d
		WHERE d.at > clock - interval '5 s' AND d.at < clock + interval '5 s';
END $$;--> statement-breakpoint
-- Samples that nobody sends yet. Whoever took one and died has it sent once more.
CREATE FUNCTION "subscriptions"."push_take_tests"() RETURNS TABLE (id bigint, subscription integer)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE subscriptions.tests t SET taken_at = clock_timestamp()
	WHERE t.id IN (
		SELECT w.id FROM subscriptions.tests w WHERE w.attempt IS NULL AND w.asked_at > clock_timestamp() - interval '2 minutes'
			AND (w.taken_at IS NULL OR w.taken_at < clock_timestamp() - interval '75 s')
		ORDER BY w.id LIMIT 10 FOR UPDATE SKIP LOCKED
	) RETURNING t.id, t.subscription
$$;--> statement-breakpoint
CREATE FUNCTION "subscriptions"."push_answer_test"(test bigint, outcomes json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sub integer;
	own bigint;
BEGIN
	SELECT t.subscription INTO sub FROM subscriptions.tests t WHERE t.id = test AND t.attempt IS NULL FOR UPDATE;
	IF sub IS NULL THEN RETURN; END IF;
	own := subscriptions.note_attempts(sub, outcomes);
	UPDATE subscriptions.tests t SET attempt = own WHERE t.id = test;
END $$;--> statement-breakpoint
-- Deletes attempts that are old, a thousand at most, and gives how many. They are the first ones.
CREATE FUNCTION "subscriptions"."push_sweep"(days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	swept integer;
BEGIN
	DELETE FROM subscriptions.attempts a USING (SELECT o.id FROM subscriptions.attempts o ORDER BY o.id LIMIT 1000) o
	WHERE a.id = o.id AND a.at < clock_timestamp() - push_sweep.days * interval '1 day';
	GET DIAGNOSTICS swept = ROW_COUNT;
	DELETE FROM subscriptions.tests t WHERE t.asked_at < clock_timestamp() - interval '1 hour';
	RETURN swept;
END $$;--> statement-breakpoint
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA "subscriptions" FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	part text;
	command text;
BEGIN
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		REVOKE ALL ON subscriptions.endpoints, subscriptions.secrets FROM sekali_gateway;
		GRANT SELECT ON subscriptions.attempts, subscriptions.dispatchers, subscriptions.tests TO sekali_gateway;
		-- It seals what is secret and need not read it again.
		GRANT SELECT (id, subscription, created_at, created_by, expires_at) ON subscriptions.secrets TO sekali_gateway;
		GRANT SELECT (subscription, url, header_names, concurrency, rate_per_s, timeout_s, body, batch_max, state, why, since,
			failures, failing_since, failed_at, held_until, holds, probe_at, dead_seen, changed_at) ON subscriptions.endpoints
			TO sekali_gateway;
		REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA subscriptions FROM sekali_gateway;
		FOR command IN
			SELECT format('GRANT EXECUTE ON FUNCTION %s TO sekali_gateway', f.oid::regprocedure) FROM pg_proc f
			WHERE f.pronamespace = 'subscriptions'::regnamespace AND f.proname IN ('pull', 'settle', 'look', 'figures', 'put',
				'pull_grant', 'granted_json', 'seek', 'set_state', 'remove', 'settle_dead', 'put_push', 'rotate_secret', 'remove_secret', 'redeliver', 'ask_test')
		LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	IF to_regrole('sekali_dispatcher') IS NOT NULL THEN
		GRANT USAGE ON SCHEMA subscriptions TO sekali_dispatcher;
		GRANT SELECT ON public.topics, subscriptions.subscriptions, subscriptions.endpoints, subscriptions.secrets,
			subscriptions.exceptions, subscriptions.dispatchers TO sekali_dispatcher;
		FOR command IN
			SELECT format('GRANT EXECUTE ON FUNCTION %s TO sekali_dispatcher', f.oid::regprocedure) FROM pg_proc f
			WHERE f.pronamespace = 'subscriptions'::regnamespace AND f.proname IN ('push_turn', 'push_beat', 'push_take_tests',
				'push_answer_test', 'push_sweep')
		LOOP
			EXECUTE command;
		END LOOP;
	END IF;
	-- Whom the default privileges of roles.sql give every table.
	FOREACH part IN ARRAY ARRAY['consumer', 'projector'] LOOP
		CONTINUE WHEN to_regrole('sekali_' || part) IS NULL;
		EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA subscriptions FROM %I', 'sekali_' || part);
	END LOOP;
	IF to_regrole('sekali_subscriptions') IS NULL OR NOT pg_has_role('sekali_subscriptions', 'MEMBER') THEN RETURN; END IF;
	FOR command IN
		SELECT format('ALTER TABLE %s OWNER TO sekali_subscriptions', c.oid::regclass)
		FROM pg_class c WHERE c.relnamespace = 'subscriptions'::regnamespace AND c.relkind = 'r'
			AND c.relowner = current_user::regrole
		UNION ALL
		SELECT format('ALTER FUNCTION %s OWNER TO sekali_subscriptions', f.oid::regprocedure)
		FROM pg_proc f WHERE f.pronamespace = 'subscriptions'::regnamespace AND f.proowner = current_user::regrole
	LOOP
		EXECUTE command;
	END LOOP;
END $$;
