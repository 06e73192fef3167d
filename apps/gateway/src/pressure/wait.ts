/** When those should come back who were refused. */

const waitSecondsMin = 1
const waitSecondsMax = 60

/** A rate is that of about so long. */
const windowMs = 2_000

/** How fast something goes on. */
export interface Rate {
  /** How far it has come; less than before begins anew. */
  note(total: number, nowMs: number): void
  /** 0 when it stands still, or is not known yet. */
  perSecond(): number
}

export function createRate(): Rate {
  let from: { readonly total: number; readonly atMs: number } | undefined
  let perSecond = 0
  return {
    note(total, nowMs) {
      if (from === undefined || total < from.total) {
        from = { total, atMs: nowMs }
        perSecond = 0
        return
      }
      const ms = nowMs - from.atMs
      const isWhole = ms >= windowMs
      // Turns commit in lumps: of less than a window only the first that is known counts, as better than nothing.
      if (isWhole || (perSecond === 0 && ms > 0)) perSecond = ((total - from.total) * 1_000) / ms
      if (isWhole) from = { total, atMs: nowMs }
    },
    perSecond: () => perSecond,
  }
}

/**
 * Seconds until `amount` has drained, if it goes on as it does. While nothing drains nobody knows: then as long as that has
 * lasted, so that waits grow as backoffs do. Spread by a quarter, because those refused together must not come back together.
 */
export function waitSeconds(
  amount: number,
  perSecond: number,
  lastedMs: number,
  random: () => number,
): number {
  const seconds = perSecond > 0 ? amount / perSecond : lastedMs / 1_000
  const spread = seconds * (0.75 + random() / 2) + random()
  return Math.min(waitSecondsMax, Math.max(waitSecondsMin, Math.ceil(spread)))
}
