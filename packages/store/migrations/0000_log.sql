CREATE TABLE "conflicts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "conflicts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"timestamp" timestamp(6) with time zone NOT NULL,
	"received_at" timestamp(6) with time zone NOT NULL,
	"stored_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"topic_id" integer NOT NULL,
	"seq" bigint NOT NULL,
	"event_id" text NOT NULL,
	"source" text NOT NULL,
	"payload" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dead_letters" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "dead_letters_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"received_at" timestamp(6) with time zone NOT NULL,
	"stored_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"topic_id" integer NOT NULL,
	"entry_id" text NOT NULL,
	"reason" text NOT NULL,
	"fields" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"seq" bigint NOT NULL,
	"timestamp" timestamp(6) with time zone NOT NULL,
	"received_at" timestamp(6) with time zone NOT NULL,
	"stored_at" timestamp(6) with time zone DEFAULT clock_timestamp() NOT NULL,
	"topic_id" integer NOT NULL,
	"event_id" text NOT NULL,
	"source" text NOT NULL,
	"payload" json NOT NULL,
	CONSTRAINT "events_topic_id_seq_pk" PRIMARY KEY("topic_id","seq"),
	CONSTRAINT "events_topic_id_event_id_unique" UNIQUE("topic_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "topics" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "topics_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	"stream_group" text,
	"position" text DEFAULT '0-0' NOT NULL,
	"accounted" bigint DEFAULT 0 NOT NULL,
	"head" bigint DEFAULT 0 NOT NULL,
	"duplicates" bigint DEFAULT 0 NOT NULL,
	"conflicts" bigint DEFAULT 0 NOT NULL,
	"dead" bigint DEFAULT 0 NOT NULL,
	"lost" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "topics_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE INDEX "conflicts_topic_id_event_id_index" ON "conflicts" USING btree ("topic_id","event_id");--> statement-breakpoint
CREATE INDEX "dead_letters_topic_id_id_index" ON "dead_letters" USING btree ("topic_id","id");