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
-- As before, and the topic's forks go with it.
CREATE OR REPLACE FUNCTION "drop_topic"(unwanted text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	topic public.topics;
BEGIN
	SELECT * INTO topic FROM public.topics WHERE name = unwanted FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN CASE WHEN EXISTS (SELECT FROM public.topics WHERE name = unwanted) THEN 'in_use' ELSE 'unknown' END;
	END IF;
	IF topic.head > 0 OR topic.seen > topic.accounted
		OR EXISTS (SELECT FROM public.dead_letters WHERE topic_id = topic.id) THEN
		RETURN 'in_use';
	END IF;
	DELETE FROM public.forks WHERE topic_id = topic.id;
	DELETE FROM public.topics WHERE id = topic.id;
	RETURN 'dropped';
END $$;
