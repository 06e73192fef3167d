ALTER TABLE "topics" ADD COLUMN "seen" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD COLUMN "seen_id" text DEFAULT '0-0' NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD COLUMN "loss_at" timestamp(6) with time zone;