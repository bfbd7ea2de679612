// What the last start found and did.
import { Hono } from 'hono'
import type { RecoveryFinding } from '#src/broker/broker.ts'
import { type Door, type Env, sessionOf } from './door.ts'

/** `GET /recovery`: the report of the last start. */
export function recoveryRoutes(door: Door): Hono<Env> {
  const routes = new Hono<Env>()
  routes.get('/recovery', (c) => {
    const report = door.broker.recoveryReport(sessionOf(door, c))
    return c.json({
      started_at: report.startedAt,
      duration_ms: report.durationMs,
      log_count: report.logCount,
      had_clean_shutdown: report.hadCleanShutdown,
      findings: report.findings.map(findingResource),
      notes: report.notes,
    })
  })
  return routes
}

function findingResource(finding: RecoveryFinding): object {
  return {
    found_by: finding.foundBy,
    log_directory: finding.logDirectory,
    topic: finding.topic,
    partition: finding.partition,
    scanned_segments: finding.scannedSegments,
    scanned_bytes: finding.scannedBytes,
    cut_bytes: finding.cutBytes,
    kept_aside: finding.keptAside,
    rebuilt_indexes: finding.rebuiltIndexes,
    offsets_at_risk: finding.offsetsAtRisk,
    messages: finding.messages,
  }
}
