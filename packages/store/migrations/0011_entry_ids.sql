CREATE TABLE "entry_ids" (
	"seq" bigint NOT NULL,
	"topic_id" integer NOT NULL,
	"is_conflict" boolean NOT NULL,
	"entry_id" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "entry_ids_topic_id_seq_is_conflict_entry_id_index" ON "entry_ids" USING btree ("topic_id","seq","is_conflict","entry_id");