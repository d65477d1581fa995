CREATE SCHEMA "ticketplan";
--> statement-breakpoint
CREATE TABLE "ticketplan"."claim_log" (
	"sequence" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ticketplan"."claim_log_sequence_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"fleet" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"action" text NOT NULL,
	"ticket" text collate "C" NOT NULL,
	"holder" text NOT NULL,
	"session" text,
	"machine" text NOT NULL,
	"token" bigint NOT NULL,
	"pool" text,
	"area" jsonb,
	"conflicts" text[] NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"previous_holder" text,
	"reason" text
);
--> statement-breakpoint
CREATE TABLE "ticketplan"."fleets" (
	"id" text PRIMARY KEY NOT NULL,
	"token" bigint DEFAULT 0 NOT NULL,
	"changes" bigint DEFAULT 0 NOT NULL,
	"server" text,
	"created_at" timestamp (3) with time zone DEFAULT clock_timestamp() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticketplan"."leases" (
	"fleet" text NOT NULL,
	"ticket" text collate "C" NOT NULL,
	"holder" text NOT NULL,
	"session" text,
	"machine" text NOT NULL,
	"token" bigint NOT NULL,
	"pool" text,
	"worktree" text,
	"pid" integer,
	"area" jsonb,
	"conflicts" text[] DEFAULT '{}' NOT NULL,
	"taken" bigint NOT NULL,
	"acquired_at" timestamp (3) with time zone NOT NULL,
	"renewed_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"ttl_ms" bigint NOT NULL,
	"ended" text,
	"ended_at" timestamp (3) with time zone,
	"ended_by" text,
	"released_state" text,
	"released_state_at" text,
	"last_released_at" timestamp (3) with time zone,
	CONSTRAINT "leases_fleet_ticket_pk" PRIMARY KEY("fleet","ticket"),
	CONSTRAINT "leases_ended" CHECK ((ended is null) = (ended_at is null) and ended in ('released', 'forced', 'lapsed'))
);
--> statement-breakpoint
CREATE TABLE "ticketplan"."machines" (
	"fleet" text NOT NULL,
	"machine" text NOT NULL,
	"pools" jsonb NOT NULL,
	"seen_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "machines_fleet_machine_pk" PRIMARY KEY("fleet","machine")
);
--> statement-breakpoint
ALTER TABLE "ticketplan"."claim_log" ADD CONSTRAINT "claim_log_fleet_fleets_id_fk" FOREIGN KEY ("fleet") REFERENCES "ticketplan"."fleets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticketplan"."leases" ADD CONSTRAINT "leases_fleet_fleets_id_fk" FOREIGN KEY ("fleet") REFERENCES "ticketplan"."fleets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ticketplan"."machines" ADD CONSTRAINT "machines_fleet_fleets_id_fk" FOREIGN KEY ("fleet") REFERENCES "ticketplan"."fleets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "claim_log_by_ticket" ON "ticketplan"."claim_log" USING btree ("fleet","ticket","sequence");--> statement-breakpoint
CREATE INDEX "leases_shown" ON "ticketplan"."leases" USING btree ("fleet") WHERE ended is null or ended = 'lapsed';--> statement-breakpoint
CREATE VIEW "ticketplan"."claims" AS (select fleet, ticket as ticket_id, holder, machine, token, pool, acquired_at, renewed_at, expires_at,
    ended is null and expires_at > clock_timestamp() as live
  from ticketplan.leases where ended is null or ended = 'lapsed');