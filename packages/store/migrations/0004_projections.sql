-- Where roles were set up by hand, as in infra/docker/roles.sql, the schema is there already, with their rights.
CREATE SCHEMA IF NOT EXISTS "projections";
--> statement-breakpoint
CREATE TABLE "projections"."checkpoints" (
	"seq" bigint NOT NULL,
	"generation_id" integer NOT NULL,
	"topic_id" integer NOT NULL,
	CONSTRAINT "checkpoints_generation_id_topic_id_pk" PRIMARY KEY("generation_id","topic_id")
);
--> statement-breakpoint
CREATE TABLE "projections"."generations" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "projections"."generations_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"hash" text NOT NULL,
	"topics" text[] NOT NULL,
	"topic_regex" text NOT NULL,
	"keyed" boolean NOT NULL,
	"initial" json NOT NULL,
	"stage" text NOT NULL,
	"revision" bigint DEFAULT 0 NOT NULL,
	"failed_topic" text,
	"failed_seq" bigint,
	"failed_event_id" text,
	"failed_message" text
);
--> statement-breakpoint
CREATE TABLE "projections"."states" (
	"revision" bigint NOT NULL,
	"generation_id" integer NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"state" json NOT NULL,
	CONSTRAINT "states_generation_id_key_pk" PRIMARY KEY("generation_id","key")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "generations_live" ON "projections"."generations" USING btree ("name") WHERE stage = 'live';--> statement-breakpoint
CREATE UNIQUE INDEX "generations_building" ON "projections"."generations" USING btree ("name") WHERE stage = 'building';
--> statement-breakpoint
-- Updated once a turn, like a topic's row: see 0001_storage.sql.
ALTER TABLE "projections"."generations" SET (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
--> statement-breakpoint
ALTER TABLE "projections"."checkpoints" SET (fillfactor = 50, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
--> statement-breakpoint
-- States are written over and over. Room in their pages keeps that HOT.
ALTER TABLE "projections"."states" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- Begins a projection anew, beside the live generation, with the newest definition there is of it. One that is being
-- built already goes on, unless it has failed. False when there is no projection of that name.
-- A function with its owner's rights: the gateway's role may read only, and this is the one thing it may ask for.
CREATE FUNCTION "projections"."request_rebuild"(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
	newest projections.generations;
BEGIN
	-- The lock that registering a definition takes as well: see store/src/register-projection.ts.
	PERFORM pg_advisory_xact_lock(hashtextextended('sekali projection ' || wanted, 0));
	SELECT * INTO newest FROM projections.generations
		WHERE name = wanted AND stage <> 'retired' ORDER BY version DESC, id DESC LIMIT 1;
	IF NOT FOUND THEN RETURN false; END IF;
	UPDATE projections.generations SET stage = 'retired'
		WHERE name = wanted AND stage = 'building' AND failed_message IS NOT NULL;
	INSERT INTO projections.generations (name, version, hash, topics, topic_regex, keyed, initial, stage)
		VALUES (newest.name, newest.version, newest.hash, newest.topics, newest.topic_regex, newest.keyed, newest.initial, 'building')
		ON CONFLICT (name) WHERE stage = 'building' DO NOTHING;
	RETURN true;
END $$;
