#!/usr/bin/env python3
"""Writes stentor.json, the dashboard beside it. Run it after a change; the JSON is what Grafana imports."""
import json
import pathlib

INSTANCE = 'instance=~"$instance"'
CARRIER = INSTANCE + ',carrier=~"$carrier"'


def panel(title, unit, width, *targets, kind="timeseries", stack=False):
    """A panel; each target is an expression and its legend."""
    return {
        "title": title,
        "type": kind,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "width": width,
        "targets": [{"expr": expr, "legendFormat": legend, "refId": chr(ord("A") + i)}
                    for i, (expr, legend) in enumerate(targets)],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "custom": {"fillOpacity": 20 if stack else 0,
                           "stacking": {"mode": "normal" if stack else "none"}},
            },
            "overrides": [],
        },
    }


def rate(metric, by, where=CARRIER):
    return f"sum by ({by}) (rate({metric}{{{where}}}[$__rate_interval]))"


def quantile(q, metric, by="le", where=CARRIER):
    return f"histogram_quantile({q}, sum by ({by}) (rate({metric}_bucket{{{where}}}[$__rate_interval])))"


ROWS = [
    ("Is all well?", [
        panel("Binds down", "short", 4,
              (f"count(stentor_link_bound{{{CARRIER}}} == 0) or vector(0)", ""), kind="stat"),
        panel("Oldest waiting", "s", 4, (f"max(stentor_queue_oldest_seconds{{{CARRIER}}})", ""), kind="stat"),
        panel("Waiting", "short", 4, (f"sum(stentor_queue_messages{{{CARRIER}}})", ""), kind="stat"),
        panel("Live", "short", 4, (f"sum(stentor_live_messages{{{INSTANCE}}})", ""), kind="stat"),
        panel("Ledger imbalance", "short", 4, (f"sum(stentor_ledger_imbalance{{{INSTANCE}}})", ""), kind="stat"),
        panel("Free disk", "bytes", 4, (f"min(stentor_journal_free_bytes{{{INSTANCE}}})", ""), kind="stat"),
    ]),
    ("Messages", [
        panel("In and out", "mps", 12,
              (rate("stentor_accepted_total", "instance", INSTANCE), "accepted"),
              (rate("stentor_sent_total", "instance", INSTANCE), "sent"),
              (rate("stentor_messages_final_total", "state", INSTANCE), "{{state}}")),
        panel("Rejected, by code", "reqps", 12, (rate("stentor_rejected_total", "code", INSTANCE), "{{code}}"),
              stack=True),
        panel("Waiting", "short", 12,
              (f"sum by (carrier, priority) (stentor_queue_messages{{{CARRIER}}})", "{{carrier}} {{priority}}"),
              stack=True),
        panel("Oldest waiting", "s", 12,
              (f"max by (carrier, priority) (stentor_queue_oldest_seconds{{{CARRIER}}})",
               "{{carrier}} {{priority}}")),
        panel("From accepted to submitted", "s", 12,
              (quantile(0.5, "stentor_accept_to_submit_seconds", "le, carrier"), "{{carrier}} p50"),
              (quantile(0.99, "stentor_accept_to_submit_seconds", "le, carrier"), "{{carrier}} p99")),
        panel("Segments, by encoding", "short", 12, (rate("stentor_segments_sent_total", "encoding"), "{{encoding}}"),
              stack=True),
        panel("Of what waits: for a time, paused, for a limit, on disk", "short", 12,
              (f"sum by (carrier) (stentor_scheduled_messages{{{CARRIER}}})", "{{carrier}} for a time"),
              (f"sum by (carrier) (stentor_queue_held_messages{{{CARRIER}}})", "{{carrier}} paused"),
              (f"sum by (carrier) (stentor_queue_limited_messages{{{CARRIER}}})", "{{carrier}} for a limit"),
              (f"sum by (carrier) (stentor_queue_spilled_messages{{{CARRIER}}})", "{{carrier}} on disk")),
        panel("Replies and opt-outs", "short", 12,
              (rate("stentor_replies_total", "carrier"), "{{carrier}} replies"),
              (rate("stentor_replies_incomplete_total", "carrier"), "{{carrier}} with a part missing"),
              (f"sum(stentor_opt_outs{{{INSTANCE}}})", "numbers opted out")),
    ]),
    ("Carriers", [
        panel("Submits", "short", 12, (rate("stentor_submits_total", "carrier"), "{{carrier}}")),
        panel("Answers that are not ok", "short", 12,
              (rate("stentor_submit_responses_total", "carrier, status", CARRIER + ',status!="0x00000000"'),
               "{{carrier}} {{status}}"), stack=True),
        panel("Answer time", "s", 12,
              (quantile(0.5, "stentor_submit_seconds", "le, carrier"), "{{carrier}} p50"),
              (quantile(0.99, "stentor_submit_seconds", "le, carrier"), "{{carrier}} p99")),
        panel("Window used", "short", 12,
              (f"sum by (carrier, bind) (stentor_window_used{{{CARRIER}}})", "{{carrier}} {{bind}}"),
              (f"max by (carrier) (stentor_window_limit{{{CARRIER}}})", "{{carrier}} limit")),
        panel("Throttled, retried, in doubt", "short", 12,
              (rate("stentor_throttled_total", "carrier"), "{{carrier}} throttled"),
              (rate("stentor_retries_total", "carrier"), "{{carrier}} retried"),
              (rate("stentor_uncertain_total", "carrier, reason"), "{{carrier}} {{reason}}")),
        panel("Rate, configured and now", "short", 12,
              (f"max by (carrier) (stentor_rate_configured{{{CARRIER}}})", "{{carrier}} configured"),
              (f"max by (carrier) (stentor_rate_current{{{CARRIER}}})", "{{carrier}} now")),
        panel("What holds it back", "short", 12,
              (f"max by (carrier, limiter) (stentor_limited_by{{{CARRIER}}}) > 0", "{{carrier}} {{limiter}}")),
        panel("In doubt, and moved to another carrier", "short", 12,
              (f"sum by (carrier) (stentor_in_doubt{{{CARRIER}}})", "{{carrier}} in doubt"),
              (f"increase(stentor_moved_total{{{CARRIER}}}[$__rate_interval])", "{{carrier}} moved away")),
        panel("Stood and did not move", "short", 12,
              (f"increase(stentor_link_stuck_total{{{CARRIER}}}[$__rate_interval])", "{{carrier}} {{bind}}")),
        panel("Connections lost", "short", 12,
              (f"increase(stentor_link_losses_total{{{CARRIER}}}[$__rate_interval])", "{{carrier}} {{bind}}")),
    ]),
    ("Receipts", [
        panel("Receipts", "short", 12, (rate("stentor_receipts_total", "carrier, outcome"), "{{carrier}} {{outcome}}"),
              stack=True),
        panel("From sent to receipt", "s", 12,
              (quantile(0.5, "stentor_receipt_seconds", "le, carrier"), "{{carrier}} p50"),
              (quantile(0.99, "stentor_receipt_seconds", "le, carrier"), "{{carrier}} p99")),
        panel("Receipts due", "short", 12,
              (f"sum by (carrier) (stentor_outstanding_segments{{{CARRIER}}})", "{{carrier}}")),
        panel("Receipts that fit nothing", "short", 12,
              (rate("stentor_receipts_unmatched_total", "carrier"), "{{carrier}}"),
              (f"sum by (carrier) (stentor_orphan_receipts{{{CARRIER}}})", "{{carrier}} kept")),
        panel("Receipts that come twice or contradict", "short", 12,
              (rate("stentor_receipts_duplicate_total", "carrier"), "{{carrier}} twice"),
              (rate("stentor_receipts_conflicting_total", "carrier"), "{{carrier}} contradict"),
              (rate("stentor_messages_corrected_total", "carrier"), "{{carrier}} told unknown, known later")),
        panel("Asked after missing receipts (query_sm)", "short", 12,
              (rate("stentor_queries_total", "carrier, outcome"), "{{carrier}} {{outcome}}")),
    ]),
    ("The process", [
        panel("Commit", "s", 8, (quantile(0.5, "stentor_commit_seconds", "le", INSTANCE), "p50"),
              (quantile(0.99, "stentor_commit_seconds", "le", INSTANCE), "p99")),
        panel("Commits", "short", 8, (rate("stentor_commits_total", "instance", INSTANCE), "{{instance}}")),
        panel("Memory", "bytes", 8, (f"stentor_memory_bytes{{{INSTANCE}}}", "{{instance}}")),
        panel("Journal", "bytes", 8, (f"stentor_journal_bytes{{{INSTANCE}}}", "{{instance}}")),
        panel("Clients", "short", 8, (f"stentor_connections{{{INSTANCE}}}", "{{instance}}")),
        panel("Consumers behind", "bytes", 8,
              (f"stentor_consumer_behind_bytes{{{INSTANCE}}}", "{{client}} {{consumer}}")),
        panel("Events posted to callbacks, and given up", "short", 8,
              (rate("stentor_callback_events_total", "client, target, outcome", INSTANCE),
               "{{client}} {{target}} {{outcome}}"),
              (rate("stentor_callback_failures_total", "client, target", INSTANCE),
               "{{client}} {{target}} failed posts")),
        panel("References kept", "short", 8, (f"stentor_references{{{INSTANCE}}}", "{{instance}}")),
    ]),
]


def variable(name, query):
    return {"name": name, "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": query, "includeAll": True, "multi": True, "allValue": ".*", "refresh": 2,
            "current": {"text": "All", "value": "$__all"}}


def dashboard():
    panels, y = [], 0
    for title, row in ROWS:
        panels.append({"type": "row", "title": title, "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": []})
        y += 1
        x = 0
        height = 4 if row[0]["type"] == "stat" else 8
        for each in row:
            width = each.pop("width")
            if x + width > 24:
                x, y = 0, y + height
            panels.append(each | {"gridPos": {"h": height, "w": width, "x": x, "y": y}})
            x += width
        y += height
    for number, each in enumerate(panels, start=1):
        each["id"] = number
    return {
        "title": "stentor", "uid": "stentor", "tags": ["sms"], "schemaVersion": 38, "version": 1,
        "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timezone": "",
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "current": {}},
            variable("instance", "label_values(stentor_build_info, instance)"),
            variable("carrier", "label_values(stentor_window_limit, carrier)"),
        ]},
        "panels": panels,
    }


if __name__ == "__main__":
    target = pathlib.Path(__file__).with_name("stentor.json")
    target.write_text(json.dumps(dashboard(), indent=1) + "\n")
