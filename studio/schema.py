"""The tables of the studio's database file, and how files of former versions are brought up to date."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, request TEXT NOT NULL,
    created REAL NOT NULL, status TEXT NOT NULL, started REAL, ended REAL, attempts INTEGER NOT NULL,
    error_code TEXT, error TEXT, artifact_id TEXT);
CREATE INDEX jobs_of_owner ON jobs (owner, number);
CREATE INDEX jobs_by_status ON jobs (status, number);
CREATE TABLE artifacts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, job_id TEXT NOT NULL,
    kind TEXT NOT NULL, media_type TEXT NOT NULL, width INTEGER, height INTEGER, bytes INTEGER NOT NULL,
    model TEXT NOT NULL, prompt TEXT NOT NULL, seed INTEGER, created REAL NOT NULL, hidden INTEGER NOT NULL,
    request TEXT NOT NULL, info TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX artifacts_of_owner ON artifacts (owner, hidden, number);
CREATE INDEX artifacts_of_job ON artifacts (job_id);
"""
# What each later version of the file has more; the number of the last is `user_version`.
CHANGES = (
    "ALTER TABLE artifacts ADD COLUMN vector BLOB NOT NULL DEFAULT x'';",
    # Batches of pictures to describe; `number` is the place in the batch. A text is NULL until there is one.
    """
    CREATE TABLE batches (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        request TEXT NOT NULL DEFAULT '', running INTEGER NOT NULL DEFAULT 0, begun REAL);
    CREATE INDEX batches_of_owner ON batches (owner, created);
    CREATE TABLE batch_items (
        batch TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, picture TEXT NOT NULL, format TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL, status TEXT NOT NULL,
        notes TEXT NOT NULL, error TEXT NOT NULL, text TEXT, score REAL, origin TEXT NOT NULL, job TEXT, artifact TEXT,
        ended REAL, PRIMARY KEY (batch, number));
    CREATE INDEX batch_items_by_job ON batch_items (job);
    CREATE INDEX batch_items_by_artifact ON batch_items (artifact);
    CREATE TABLE batch_texts (batch TEXT NOT NULL, stem TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (batch, stem));
    CREATE TABLE batch_edits (
        number INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL, what TEXT NOT NULL, before TEXT NOT NULL);
    CREATE INDEX batch_edits_of_batch ON batch_edits (batch, number);
    """,
    # The order that an owner has given to jobs in line: their ids, separated by spaces
    "CREATE TABLE orders (owner TEXT PRIMARY KEY, jobs TEXT NOT NULL);",
    # epoch: changes when all sessions of an owner end. became: whose a browser's gallery is since it was moved.
    """
    CREATE TABLE owners (owner TEXT PRIMARY KEY, epoch TEXT NOT NULL DEFAULT '', seen REAL, became TEXT);
    CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, owner TEXT NOT NULL);
    CREATE TABLE moving_codes (code TEXT PRIMARY KEY, owner TEXT NOT NULL, made REAL NOT NULL);
    """,
    # Jobs that are over and have nothing in the gallery, for those who prune them; what an owner keeps, to be summed up
    """
    CREATE INDEX jobs_over ON jobs (owner, number) WHERE artifact_id IS NULL AND
        status IN ('done', 'failed', 'cancelled');
    CREATE INDEX artifacts_bytes ON artifacts (owner, bytes);
    """,
    # What people have deleted and whose files may still be there, and which files were not there at the last start
    """
    CREATE TABLE deletions (id TEXT PRIMARY KEY, what TEXT NOT NULL, owner TEXT NOT NULL);
    CREATE TABLE missing (id TEXT PRIMARY KEY);
    """,
    # Artifacts beside whose files something is written that is not so any more
    "CREATE TABLE undescribed (id TEXT PRIMARY KEY);",
    # To the job of what is deleted, to what is asked for, and to what nobody has checked, without a walk through all
    """
    CREATE INDEX jobs_by_artifact ON jobs (artifact_id) WHERE artifact_id IS NOT NULL;
    CREATE INDEX batch_items_by_status ON batch_items (status, batch, number);
    CREATE INDEX batch_items_unchecked ON batch_items (batch, number) WHERE score IS NULL AND
        origin IN ('person', 'sidecar') AND status IN ('done', 'kept') AND picture != '';
    """,
)  # fmt: skip
VERSION = 1 + len(CHANGES)
