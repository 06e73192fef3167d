CREATE TABLE "entry_ids" (
	"seq" bigint NOT NULL,
	"topic_id" integer NOT NULL,
	"is_conflict" boolean NOT NULL,
	"entry_id" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "entry_ids_topic_id_seq_is_conflict_entry_id_index" ON "entry_ids" USING btree ("topic_id","seq","is_conflict","entry_id");--> statement-breakpoint
-- Functions with their owner's rights are for whoever answers clients, not for every role of the database. Who could
-- read the topics until now keeps them; consumers and projectors of infra/docker/roles.sql never needed them.
REVOKE EXECUTE ON FUNCTION "drop_topic"(text), "projections"."request_rebuild"(text),
	"projections"."drop_projection"(text, interval) FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE
	reader text;
BEGIN
	FOR reader IN
		SELECT DISTINCT r.rolname
		FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
		WHERE c.oid = 'public.topics'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
			AND r.rolname NOT IN ('sekali_consumer', 'sekali_projector')
	LOOP
		EXECUTE format('GRANT EXECUTE ON FUNCTION public.drop_topic(text), projections.request_rebuild(text),
			projections.drop_projection(text, interval) TO %I', reader);
	END LOOP;
	-- What is stored stays as it is: consumers add to the log, and change topics alone.
	IF to_regrole('sekali_consumer') IS NOT NULL THEN
		REVOKE UPDATE ON ALL TABLES IN SCHEMA public FROM sekali_consumer;
		REVOKE ALL ON ALL TABLES IN SCHEMA projections FROM sekali_consumer;
		GRANT UPDATE ON public.topics TO sekali_consumer;
		ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM sekali_consumer;
		ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO sekali_consumer;
	END IF;
END $$;--> statement-breakpoint
-- As before, but for the least that it asks: a caller that names no time, or a short one, cannot drop what is folded.
CREATE OR REPLACE FUNCTION "projections"."drop_projection"(unwanted text, orphaned_after interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('sekali projection ' || unwanted, 0));
	IF NOT EXISTS (SELECT FROM projections.generations WHERE name = unwanted AND stage <> 'retired') THEN
		RETURN 'unknown';
	END IF;
	IF EXISTS (SELECT FROM projections.announcements
		WHERE name = unwanted AND announced_at > now() - greatest(orphaned_after, interval '60 s')) THEN
		RETURN 'folded';
	END IF;
	UPDATE projections.generations SET stage = 'retired' WHERE name = unwanted AND stage <> 'retired';
	DELETE FROM projections.announcements WHERE name = unwanted;
	RETURN 'dropped';
END $$;
