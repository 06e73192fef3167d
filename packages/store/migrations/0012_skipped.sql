ALTER TABLE "projections"."generations" ADD COLUMN "skipped" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "projections"."generations" ADD COLUMN "skipped_topic" text;--> statement-breakpoint
ALTER TABLE "projections"."generations" ADD COLUMN "skipped_seq" bigint;--> statement-breakpoint
ALTER TABLE "projections"."generations" ADD COLUMN "skipped_event_id" text;--> statement-breakpoint
ALTER TABLE "projections"."generations" ADD COLUMN "skipped_message" text;