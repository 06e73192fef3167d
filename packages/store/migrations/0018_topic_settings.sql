-- What counts as the same content under one event id, for each topic (ADR 37): the same bytes of the payload, or JSON that
-- means the same. In the topic's row, because a turn locks it: a turn obeys one setting from its beginning to its end.
ALTER TABLE "topics" ADD COLUMN "same_content" text DEFAULT 'bytes' NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD CONSTRAINT "topics_same_content" CHECK ("topics"."same_content" IN ('bytes', 'json'));
