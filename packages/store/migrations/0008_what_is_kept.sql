ALTER TABLE "conflicts" ALTER COLUMN "timestamp" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "conflicts" ALTER COLUMN "source" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "conflicts" ALTER COLUMN "payload" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "dead_letters" ALTER COLUMN "fields" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD COLUMN "retired" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "topics" ADD COLUMN "kept_bytes" bigint DEFAULT 0 NOT NULL;