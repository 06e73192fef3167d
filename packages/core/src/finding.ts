/** What a look at one thing found. It never holds a secret or an event's content: it is shown to whoever asks. */
export interface Finding {
  /** What was looked at, for instance `redis.appendfsync`. It is API: scripts match on it. */
  readonly check: string
  /** `problem` breaks or stops something; `warning` weakens a promise or will be a problem; `unknown` could not be told. */
  readonly level: 'ok' | 'warning' | 'problem' | 'unknown'
  readonly message: string
  /** What to do about it; absent if all is well. */
  readonly remedy?: string
}

export interface Diagnosis {
  /** The worst level of all; what is unknown counts as a warning. */
  readonly status: 'ok' | 'warning' | 'problem'
  readonly findings: readonly Finding[]
}

export const ok = (check: string, message: string): Finding => ({ check, level: 'ok', message })

export const warning = (check: string, message: string, remedy: string): Finding => ({
  check,
  level: 'warning',
  message,
  remedy,
})

export const problem = (check: string, message: string, remedy: string): Finding => ({
  check,
  level: 'problem',
  message,
  remedy,
})

export const unknown = (check: string, message: string, remedy?: string): Finding => ({
  check,
  level: 'unknown',
  message,
  ...(remedy !== undefined && { remedy }),
})

export function diagnosisOf(findings: readonly Finding[]): Diagnosis {
  const has = (...levels: Finding['level'][]) => findings.some(({ level }) => levels.includes(level))
  return { status: has('problem') ? 'problem' : has('warning', 'unknown') ? 'warning' : 'ok', findings }
}
