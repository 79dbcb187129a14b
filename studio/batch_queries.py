"""Parts of SQL, of ours alone: which pictures of a batch are shown, in which order, and which are to be checked."""

from __future__ import annotations

ORDERS = {
    "place": "number",
    "name": "name COLLATE NOCASE, number",
    "agreement": "score IS NULL, score, number",
    "state": "CASE status WHEN 'failed' THEN 0 WHEN 'refused' THEN 1 WHEN 'asked' THEN 2 ELSE 3 END, number",
}
UNCHECKED = (
    "score IS NULL AND trim(text) != '' AND origin IN ('person', 'sidecar') AND status IN ('done', 'kept') "
    "AND picture != ''"
)
FILTERS = {
    "all": "",
    "bad": " AND status IN ('failed', 'refused')",
    "doubtful": " AND score < {doubtful}",
    "missing": " AND text IS NULL AND status != 'refused'",
    "edited": " AND origin = 'person'",
}
