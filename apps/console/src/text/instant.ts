const units: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * What somebody types for a time, as the API takes it: `2h` is two hours ago, a time without an offset is the viewer's
 * own. Empty stays empty; undefined is what is no time.
 */
export function utcOf(text: string, nowMs: number): string | undefined {
  const typed = text.trim()
  if (typed === '') return ''
  const [, count, unit = ''] = /^(\d+)\s*(s|m|min|h|d)$/.exec(typed) ?? []
  if (count !== undefined) return new Date(nowMs - Number(count) * (units[unit] ?? 0)).toISOString()
  // With an offset it is already what the API takes, to the microsecond.
  if (/(?:Z|[+-]\d{2}:?\d{2})$/i.test(typed)) return typed
  if (!/^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$/.test(typed)) return undefined
  const ms = Date.parse(typed.length === 10 ? `${typed}T00:00` : typed.replace(' ', 'T'))
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}
