CREATE TABLE "projections"."not_loaded" (
	"projector" text NOT NULL,
	"file" text NOT NULL,
	"line" integer,
	"message" text NOT NULL,
	"reported_at" timestamp(6) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "not_loaded_projector_file_pk" PRIMARY KEY("projector","file")
);
