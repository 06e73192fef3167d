import type { Row } from './row.ts'
import { bytesRows } from './rows/bytes.ts'
import { commitOlderRow, commitRow } from './rows/commit.ts'
import { consoleRows } from './rows/console.ts'
import { consumersRow } from './rows/consumers.ts'
import { endToEndRow } from './rows/end-to-end.ts'
import { fanOutRow } from './rows/fan-out.ts'
import { fleetRow } from './rows/fleet.ts'
import { growthInOrderRows, growthLargeRow, growthRow, walRow } from './rows/growth.ts'
import { idleRow } from './rows/idle.ts'
import { keepRow } from './rows/keep.ts'
import { keysRow } from './rows/keys.ts'
import { latencyRow } from './rows/latency.ts'
import { memoryRow } from './rows/memory.ts'
import { metricsRow } from './rows/metrics.ts'
import { projectionsRow } from './rows/projections.ts'
import { readRow } from './rows/read.ts'
import { replayRow } from './rows/replay.ts'
import { rivalsRows } from './rows/rivals.ts'
import { scaleRow } from './rows/scale.ts'
import { scrapeRow } from './rows/scrape.ts'
import { singleAloneRow, singleCostRow, singleRow } from './rows/single.ts'
import { topicsRow } from './rows/topics.ts'
import { tracingRow } from './rows/tracing.ts'
import { waitRow } from './rows/wait.ts'
import { webhookRows } from './rows/webhooks.ts'
import { wholeRow } from './rows/whole.ts'
import { workBossRow, workRow, workSourceRows } from './rows/work.ts'
import { workIdleRow } from './rows/work-idle.ts'
import { workLatencyRow } from './rows/work-latency.ts'
import { workRowsRow } from './rows/work-rows.ts'
import { workSnapshotRow } from './rows/work-snapshot.ts'

/** All rows, in the order of the table. */
export const rows: readonly Row[] = [
  endToEndRow,
  wholeRow,
  ...rivalsRows,
  commitRow,
  commitOlderRow,
  singleRow,
  keepRow,
  waitRow,
  singleAloneRow,
  singleCostRow,
  keysRow,
  metricsRow,
  tracingRow,
  scrapeRow,
  latencyRow,
  // Before growth, on the same log: what growth adds is neither vacuumed nor summarized.
  scaleRow,
  growthRow,
  walRow,
  ...growthInOrderRows,
  growthLargeRow,
  ...bytesRows,
  topicsRow,
  consumersRow,
  fleetRow,
  readRow,
  replayRow,
  projectionsRow,
  fanOutRow,
  workRow,
  workBossRow,
  ...workSourceRows,
  workLatencyRow,
  workRowsRow,
  workSnapshotRow,
  ...webhookRows,
  ...consoleRows,
  // The idle stack before the overloaded one: servers that still work off an overload are not idle.
  idleRow,
  workIdleRow,
  memoryRow,
]
