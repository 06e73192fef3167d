CREATE TABLE "spans" (
	"timestamp" "tstzmultirange" NOT NULL,
	"received_at" "tstzmultirange" NOT NULL,
	"topic_id" integer NOT NULL,
	"span" integer NOT NULL,
	"sources" text[],
	CONSTRAINT "spans_topic_id_span_pk" PRIMARY KEY("topic_id","span")
);
--> statement-breakpoint
CREATE INDEX "topics_name_index" ON "topics" USING btree ("name" text_pattern_ops);--> statement-breakpoint
-- As for the log (see 0001): a search must look spans up by their key, however few or many there were last time.
ALTER TABLE "spans" ALTER COLUMN "topic_id" SET STATISTICS 0, ALTER COLUMN "span" SET STATISTICS 0;
