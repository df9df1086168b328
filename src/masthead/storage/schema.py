"""Every table, once, for SQLite and PostgreSQL alike.

Instants are whole milliseconds since 1970 in UTC (``*_at``), documents are JSON text, and booleans are
real. A column that may hold an integration key says so; no other column may (a test searches for a canary).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    text,
)

__all__ = [
    "application",
    "application_history",
    "attempt",
    "burst",
    "catalog_snapshot",
    "cron_trigger",
    "delivery",
    "ended_session",
    "execution",
    "installation",
    "machine",
    "metadata",
    "page",
    "pipeline",
    "pipeline_history",
    "pipeline_trigger",
    "proof",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _where(condition: str) -> dict[str, Any]:
    """Make an index partial on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


#: What is true of the whole installation: the secret that dedup keys are hashed with.
installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: One row for each running process; the beat tells that it lives.
machine = Table(
    "machine",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
)

#: What is to be carried forward: one row a subject; see storage.bursts.
burst = Table(
    "burst",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    #: Moves with every change of the subject; only the run that holds the present one may write.
    Column("generation", BigInteger, nullable=False),
    #: When the next run is due; null while only an event from outside can move the subject.
    Column("due_at", BigInteger),
    #: The machine that runs this generation, or null.
    Column("machine", Text),
    #: Runs of this generation that died on the way.
    Column("deaths", Integer, nullable=False, server_default="0"),
    #: When the run that rested wants to be run next, if that is later than due_at; counts while the generation is this.
    Column("until_at", BigInteger),
    Column("until_generation", BigInteger),
    Index(
        "ix_burst_due_at",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
)

#: Front50's applications. The document may hold an integration key in pdApiKey.
application = Table(
    "application",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
)

#: Every version of every application, kept when the application is deleted. May hold keys as above.
application_history = Table(
    "application_history",
    metadata,
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
)

#: Pipeline definitions. The document may hold integration keys where its owner wrote them (stages' keys).
pipeline = Table(
    "pipeline",
    metadata,
    Column("id", Text, primary_key=True),
    Column("application", Text, nullable=False),
    #: The name folded to lower case: unique within the application.
    Column("folded_name", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
    Index("uq_pipeline_application_folded_name", "application", "folded_name", unique=True),
)

#: Every version of every pipeline.
pipeline_history = Table(
    "pipeline_history",
    metadata,
    Column("pipeline_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
)

#: Where to look for who is to start: the enabled triggers of the enabled pipelines; see pipelines.trigger_rows.
pipeline_trigger = Table(
    "pipeline_trigger",
    metadata,
    Column("pipeline_id", Text, primary_key=True),
    #: Place in the pipeline's list of triggers, from 0.
    Column("position", Integer, primary_key=True),
    Column("type", Text, nullable=False),
    #: What it waits for: a pipeline's id or a webhook's source, cut to 200 characters; or a cron trigger's own name.
    Column("subject", Text, nullable=False),
    Index("ix_pipeline_trigger_type_subject", "type", "subject"),
)

#: When cron triggers fire next; see masthead.triggers.cron.
cron_trigger = Table(
    "cron_trigger",
    metadata,
    Column("subject", Text, primary_key=True),
    #: The line and the time zone that next_at was reckoned from.
    Column("line", Text, nullable=False),
    #: The first firing that was not dealt with yet; null when there is none any more.
    Column("next_at", BigInteger),
)

#: Runs of pipelines (type PIPELINE) and of task jobs (ORCHESTRATION). The document is the execution's JSON and
#: may hold keys only where a stage's owner wrote them (keys).
execution = Table(
    "execution",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("pipeline_config_id", Text),
    Column("correlation_id", Text),
    Column("status", Text, nullable=False),
    Column("build_at", BigInteger, nullable=False),
    Column("start_at", BigInteger),
    Column("end_at", BigInteger),
    #: Moves with every write of the document.
    Column("version", BigInteger, nullable=False),
    #: Type of the stage in which it waits for a person, empty for none; null while a release that does not know it wrote it.
    Column("awaits", Text),
    Column("document", Text, nullable=False),
    Index("ix_execution_application_type_build_at", "application", "type", "build_at"),
    Index("ix_execution_pipeline_config_id_status", "pipeline_config_id", "status"),
    Index("ix_execution_correlation_id", "correlation_id"),
    Index("ix_execution_type_status_build_at", "type", "status", "build_at", "id"),
    Index("ix_execution_type_name_build_at", "type", "name", "build_at", "id"),
    Index("ix_execution_judgment", "build_at", "id", **_where("awaits = 'manualJudgment'")),
)

#: A message to the people who own something; see masthead.paging.
page = Table(
    "page",
    metadata,
    Column("id", Text, primary_key=True),
    #: What makes this page this page: the same identity is never paged twice. Null for pages that stand alone.
    Column("identity", Text, unique=True),
    #: A hash of what was asked, where a request may be recognised: by its content, or for an idempotency key.
    Column("fingerprint", Text),
    #: trigger, or what was asked of an earlier page: acknowledge, resolve, resend; or change (a change event).
    Column("kind", Text, nullable=False, server_default="trigger"),
    #: The page that an acknowledge, a resolve or a resend belongs to.
    Column("parent_id", Text),
    Column("message", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("links", Text, nullable=False),
    Column("severity", Text, nullable=False),
    #: Who asked, and from where.
    Column("user", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("client_url", Text),
    Column("door", Text, nullable=False),
    Column("application", Text, nullable=False),
    Column("execution_id", Text),
    Column("stage_id", Text),
    Column("created_at", BigInteger, nullable=False),
    #: When what it tells of happened, where its sender said so; of change events.
    Column("happened_at", BigInteger),
    Index("ix_page_application_id", "application", "id"),
    Index("ix_page_user_id", "user", "id"),
    Index("ix_page_execution_id", "execution_id", **_where("execution_id IS NOT NULL")),
    Index("ix_page_fingerprint", "fingerprint", "created_at", **_where("fingerprint IS NOT NULL")),
    Index("ix_page_parent_id", "parent_id", **_where("parent_id IS NOT NULL")),
)

#: One routing key told once.
delivery = Table(
    "delivery",
    metadata,
    Column("id", Text, primary_key=True),
    Column("page_id", Text, ForeignKey("page.id"), nullable=False),
    #: The integration key: the only place where a page holds it.
    Column("routing_key", Text, nullable=False),
    #: A keyed hash of the routing key: what bursts, metrics and logs may know it by.
    Column("key_hash", Text, nullable=False),
    #: The PagerDuty account that the key belongs to.
    Column("account", Text, nullable=False, server_default="default"),
    #: What PagerDuty is told: trigger, acknowledge, resolve or change.
    Column("action", Text, nullable=False, server_default="trigger"),
    #: Of the event that goes out: a folded delivery has that of the delivery that speaks for it.
    Column("dedup_key", Text, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("service_id", Text),
    #: What people see in the key's place: the service's name, or "key …1234".
    Column("label", Text, nullable=False),
    #: pending, accepted, rejected or expired.
    Column("state", Text, nullable=False),
    Column("severity_rank", Integer, nullable=False),
    #: A hash of what the person on call would read: those of one key that say the same may be folded.
    Column("says", Text, nullable=False, server_default=""),
    Column("reason", Text),
    #: What PagerDuty said last, or what went wrong on the way; never a key in it.
    Column("text", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    #: Whether an earlier attempt may have arrived although no answer said so.
    Column("is_uncertain", Boolean, nullable=False, server_default=false()),
    #: The delivery whose event speaks for this one too; null for one that is sent itself.
    Column("folded_into", Text),
    #: When it is given up.
    Column("deadline_at", BigInteger, nullable=False, server_default="0"),
    #: When it may be tried again; null once decided.
    Column("due_at", BigInteger),
    #: Before then it is not tried, whatever else is through: PagerDuty said so, or nobody could tell whether it had arrived.
    Column("not_before_at", BigInteger),
    #: The machine that makes the first attempt; null once that was made.
    Column("machine", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    #: Place within the page, from 0.
    Column("position", Integer, nullable=False),
    Index("ix_delivery_page_id", "page_id"),
    Index("ix_delivery_key_hash", "key_hash", **_where("state = 'pending'")),
    Index("ix_delivery_state", "state", "page_id", **_where("state IN ('rejected', 'expired')")),
    Index("ix_delivery_service_id", "service_id", "page_id", **_where("service_id IS NOT NULL")),
    Index("ix_delivery_folded_into", "folded_into", **_where("folded_into IS NOT NULL")),
)

#: One HTTP request for a delivery.
attempt = Table(
    "attempt",
    metadata,
    Column("delivery_id", Text, ForeignKey("delivery.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("status", Integer),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("text", Text, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    #: As the delivery's: the budget of a key counts attempts.
    Column("key_hash", Text, nullable=False, server_default=""),
    Index("ix_attempt_key_hash", "key_hash", "at"),
)

#: What an accepted delivery led to, as PagerDuty's REST API tells; no row means that nobody can know.
proof = Table(
    "proof",
    metadata,
    Column("delivery_id", Text, ForeignKey("delivery.id"), primary_key=True),
    Column("account", Text, nullable=False),
    #: unknown, not-opened, triggered, acknowledged or resolved.
    Column("state", Text, nullable=False),
    #: Why none was opened: disabled, maintenance, already-open, nobody-on-call, suppressed.
    Column("reason", Text),
    #: Whether the reason is a guess from what else is known, not PagerDuty's word.
    Column("is_inferred", Boolean, nullable=False, server_default=false()),
    Column("incident_id", Text),
    Column("incident_number", BigInteger),
    Column("url", Text),
    #: Names of those it is assigned to, separated by commas.
    Column("assignee", Text),
    Column("accepted_at", BigInteger, nullable=False),
    Column("checked_at", BigInteger),
    Column("checks", Integer, nullable=False, server_default="0"),
    #: When it is looked at again; null when nobody may care any more.
    Column("due_at", BigInteger),
    Index("ix_proof_incident_id", "incident_id", **_where("incident_id IS NOT NULL")),
    Index("ix_proof_due_at", "account", "due_at", **_where("due_at IS NOT NULL")),
)

#: Sessions that their users ended; see masthead.access.endings. The id is not the cookie and opens nothing.
ended_session = Table(
    "ended_session",
    metadata,
    Column("id", Text, primary_key=True),
    #: From here on the session has ended by itself.
    Column("until_at", BigInteger, nullable=False),
)

#: The last good answer of PagerDuty's REST API. The document of kind "services" holds integration keys.
catalog_snapshot = Table(
    "catalog_snapshot",
    metadata,
    Column("account", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("fetched_at", BigInteger, nullable=False),
    Column("is_complete", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)
