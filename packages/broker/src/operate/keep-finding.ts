import { type Finding, ok, warning } from '@sekali/core/finding'
import type { Keep } from '../keep/keep.ts'

/** Compares for how long stored entries stay in Redis with what is set. */
export function keepFinding({ slices, bytes, bytesMax, clockMs, shortMs, keepMs }: Keep): Finding {
  const check = 'redis.keep'
  if (slices.length === 0) return ok(check, 'nothing that is stored is kept in Redis at the moment')
  const set = keepMs / 1_000
  const room = `${mebibytes(bytes)} of ${mebibytes(bytesMax)} MiB`
  const keptMs = shortMs === 0 ? keepMs : clockMs - shortMs
  if (keptMs >= keepMs) return ok(check, `what was stored in the last ${set} s is kept in Redis: ${room}`)
  const kept = (keptMs / 1_000).toFixed(1)
  return warning(
    check,
    `Redis keeps what was stored in the last ${kept} s, not ${set}, because memory is short: ${room}`,
    `a standby of PostgreSQL that lags more than ${kept} s loses events when it is promoted: raise maxmemory, a quarter of which is for this; or set KEEP_SECONDS to what a standby lags at most`,
  )
}

const mebibytes = (size: number) => Math.round(size / 1024 / 1024).toLocaleString('en-US')
