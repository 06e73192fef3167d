CREATE TABLE "projections"."announcements" (
	"name" text PRIMARY KEY NOT NULL,
	"announced_at" timestamp(6) with time zone DEFAULT now() NOT NULL
);

--> statement-breakpoint
-- Projectors of this version say what they have within a second; nothing is to look orphaned before.
INSERT INTO "projections"."announcements" ("name") SELECT DISTINCT name FROM "projections"."generations";
--> statement-breakpoint
-- Forgets a projection unless a projector has announced it lately; its states are deleted by projectors, in chunks.
-- A function with its owner's rights, as request_rebuild() is, and under the same lock.
CREATE FUNCTION "projections"."drop_projection"(unwanted text, orphaned_after interval) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('sekali projection ' || unwanted, 0));
	IF NOT EXISTS (SELECT FROM projections.generations WHERE name = unwanted AND stage <> 'retired') THEN
		RETURN 'unknown';
	END IF;
	IF EXISTS (SELECT FROM projections.announcements
		WHERE name = unwanted AND announced_at > now() - orphaned_after) THEN
		RETURN 'folded';
	END IF;
	UPDATE projections.generations SET stage = 'retired' WHERE name = unwanted AND stage <> 'retired';
	DELETE FROM projections.announcements WHERE name = unwanted;
	RETURN 'dropped';
END $$;
