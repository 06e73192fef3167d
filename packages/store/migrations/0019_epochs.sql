-- A restore to an earlier state begins another epoch of a topic's log; see core/log/fork.ts. The consumer that finds it
-- writes both in the transaction of its turn.
ALTER TABLE "topics" ADD COLUMN "epoch" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE TABLE "forks" (
	"topic_id" integer NOT NULL,
	"epoch" integer NOT NULL,
	"forked_at" bigint NOT NULL,
	"at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	CONSTRAINT "forks_topic_id_epoch_pk" PRIMARY KEY("topic_id","epoch")
);--> statement-breakpoint
-- As before, and the topic's forks go with it. A topic in a later epoch than new ones begin in is in use: made again it
-- would begin in one that readers know, and nobody would tell them.
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
	DELETE FROM public.forks WHERE topic_id = topic.id;
	DELETE FROM public.topics WHERE id = topic.id;
	RETURN 'dropped';
END $$;
--> statement-breakpoint
-- Begins an epoch in every topic, for whoever has put PostgreSQL back to an earlier state and lost what Redis remembered, so
-- that no consumer can find it out. What was stored before that is of the state that was put back; all, where no
-- time is given. The epoch has the number of the second, in seconds since 2025: nobody knows which numbers a log has used
-- that is gone. The row of topic 0 is for topics that are made later: they may have been there before. Run again, it begins
-- another epoch, which tells nobody anything: whoever has read no further than the log goes is where it forks, or before.
-- So with a time: a log that has forked since, and no later than there, forks where it ends. Its readers were told, and
-- have gone back and read on.
CREATE FUNCTION "begin_epochs"("restored_at" timestamp with time zone, OUT "epoch" integer, OUT "topics" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	begun_at CONSTANT timestamptz := clock_timestamp();
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('sekali begin_epochs'));
	SELECT greatest(
		1 + coalesce(max(t.epoch), 1),
		1 + coalesce((SELECT max(f.epoch) FROM public.forks f), 1),
		extract(epoch FROM begun_at - timestamptz '2025-01-01Z')
	) INTO epoch FROM public.topics t;
	WITH begun AS (
		UPDATE public.topics t SET epoch = begin_epochs.epoch RETURNING t.id, t.head
	)
	INSERT INTO public.forks (topic_id, epoch, at, forked_at)
	SELECT b.id, begin_epochs.epoch, begun_at, CASE WHEN begin_epochs.restored_at IS NULL OR EXISTS (
		SELECT FROM public.forks f
		WHERE f.topic_id = b.id AND f.at >= begin_epochs.restored_at AND f.forked_at <= kept.seq
	) THEN b.head ELSE kept.seq END
	FROM begun b CROSS JOIN LATERAL (SELECT coalesce((
		SELECT e.seq FROM public.events e WHERE e.topic_id = b.id AND e.stored_at < begin_epochs.restored_at
		ORDER BY e.seq DESC LIMIT 1), 0) AS seq) kept;
	GET DIAGNOSTICS topics = ROW_COUNT;
	INSERT INTO public.forks (topic_id, epoch, at, forked_at) VALUES (0, begin_epochs.epoch, begun_at, 0);
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "begin_epochs"(timestamp with time zone) FROM PUBLIC;--> statement-breakpoint
DO $$
BEGIN
	IF to_regrole('sekali_gateway') IS NOT NULL THEN
		GRANT EXECUTE ON FUNCTION public.begin_epochs(timestamptz) TO sekali_gateway;
	END IF;
END $$;--> statement-breakpoint
-- With its owner's rights, as drop_topic() is: the gateway's role may read only. It makes the topic if there is none, waits
-- for a turn that is under way, and writes the entry of the audit log itself, so that nobody can do the one without the
-- other. `busy`: somebody has the row for longer than a turn takes.
-- A topic that it makes begins as the consumer would make it; see src/turn/ensure-topics.ts.
CREATE FUNCTION "set_topic_settings"(topic text, same_content text, actor text, client text, until timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was text;
	usual CONSTANT text := current_setting('lock_timeout');
BEGIN
	IF access.hold(set_topic_settings.actor, set_topic_settings.until, NULL) IS NULL THEN RETURN 'actor_ended'; END IF;
	-- Those that are there are left out first, because a conflict uses up an id.
	WITH made AS (
		INSERT INTO public.topics (name, epoch)
		SELECT set_topic_settings.topic, coalesce((SELECT max(f.epoch) FROM public.forks f WHERE f.topic_id = 0), 1)
		WHERE NOT EXISTS (SELECT FROM public.topics t WHERE t.name = set_topic_settings.topic)
		ON CONFLICT (name) DO NOTHING RETURNING id, epoch
	)
	INSERT INTO public.forks (topic_id, epoch, forked_at, at)
	SELECT m.id, m.epoch, 0, f.at FROM made m JOIN public.forks f ON f.topic_id = 0 AND f.epoch = m.epoch;
	BEGIN
		PERFORM set_config('lock_timeout', '2s', true);
		SELECT t.same_content INTO was FROM public.topics t WHERE t.name = set_topic_settings.topic FOR UPDATE;
		PERFORM set_config('lock_timeout', usual, true);
	EXCEPTION WHEN lock_not_available THEN RETURN 'busy';
	END;
	IF was IS NULL THEN RETURN 'busy'; END IF; -- dropped meanwhile
	IF was = set_topic_settings.same_content THEN RETURN 'set'; END IF;
	UPDATE public.topics t SET same_content = set_topic_settings.same_content WHERE t.name = set_topic_settings.topic;
	PERFORM audit.append(set_topic_settings.actor, set_topic_settings.client, 'topic_settings', set_topic_settings.topic,
		jsonb_build_object('same_content', set_topic_settings.same_content, 'was', was));
	RETURN 'set';
END $$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "set_topic_settings"(text, text, text, text, timestamptz) FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	gateway text;
BEGIN
	-- Whatever role gateways have: who may drop a topic may also say what holds for it.
	FOR gateway IN
		SELECT DISTINCT r.rolname
		FROM pg_proc f CROSS JOIN LATERAL aclexplode(f.proacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE f.oid = 'public.drop_topic(text)'::regprocedure AND a.privilege_type = 'EXECUTE' AND a.grantee <> f.proowner
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION public.set_topic_settings(text, text, text, text, timestamptz) TO %I', gateway);
	END LOOP;
END $$;--> statement-breakpoint
-- As before, and of an epoch that somebody began.
CREATE OR REPLACE FUNCTION "audit"."report"(actor text, client text, action text, target text, details jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF report.action IN ('denied', 'topic_dropped', 'projection_dropped', 'projection_rebuild', 'epochs_begun') THEN
		RETURN audit.append(report.actor, report.client, report.action, report.target, report.details);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'only functions write such an entry';
END $$;
