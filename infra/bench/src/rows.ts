import type { Row } from './row.ts'
import { bytesRows } from './rows/bytes.ts'
import { commitOlderRow, commitRow } from './rows/commit.ts'
import { consoleRows } from './rows/console.ts'
import { consumersRow } from './rows/consumers.ts'
import { endToEndRow } from './rows/end-to-end.ts'
import { fanOutRow } from './rows/fan-out.ts'
import { growthInOrderRows, growthLargeRow, growthRow, walRow } from './rows/growth.ts'
import { idleRow } from './rows/idle.ts'
import { keysRow } from './rows/keys.ts'
import { latencyRow } from './rows/latency.ts'
import { memoryRow } from './rows/memory.ts'
import { metricsRow } from './rows/metrics.ts'
import { projectionsRow } from './rows/projections.ts'
import { readRow } from './rows/read.ts'
import { replayRow } from './rows/replay.ts'
import { scaleRow } from './rows/scale.ts'
import { scrapeRow } from './rows/scrape.ts'
import { singleRow } from './rows/single.ts'
import { topicsRow } from './rows/topics.ts'
import { tracingRow } from './rows/tracing.ts'
import { wholeRow } from './rows/whole.ts'

/** All rows, in the order of the table. */
export const rows: readonly Row[] = [
  endToEndRow,
  wholeRow,
  commitRow,
  commitOlderRow,
  singleRow,
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
  readRow,
  replayRow,
  projectionsRow,
  fanOutRow,
  ...consoleRows,
  // The idle stack before the overloaded one: servers that still work off an overload are not idle.
  idleRow,
  memoryRow,
]
