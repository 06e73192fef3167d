import { type Finding, ok, problem, warning } from '@sekali/core/finding'
import type { PressureState } from '../pressure/pressure.ts'
import { listed } from './findings.ts'

/** What this gateway refuses because too much is in flight. */
export function pressureFindings(state: PressureState): Finding[] {
  return [memoryFinding(state), topicsFinding(state)]
}

function memoryFinding({ isShedding, memoryPercent: percent, limits }: PressureState): Finding {
  const check = 'pressure.memory'
  const { shedAt, shedUntil } = limits
  if (!isShedding && percent === undefined) return ok(check, 'no maxmemory is known that could be used up')
  if (!isShedding) return ok(check, `events are refused when Redis has used ${shedAt} % of its maxmemory`)
  return problem(
    check,
    `${sheddingText(percent)} until it is below ${shedUntil} %`,
    'see the consumers; raise maxmemory if they store without a pause and fall behind',
  )
}

function topicsFinding({ full, isWeighed }: PressureState): Finding {
  const check = 'pressure.topics'
  if (full.length === 0 && isWeighed) return ok(check, 'no topic is full')
  if (full.length === 0) {
    return warning(
      check,
      'Redis does not say what streams weigh: there is no bound in bytes',
      'allow it to this user: ACL SETUSER … +memory|usage',
    )
  }
  return warning(
    check,
    fullText(full),
    'see the consumers; raise BACKLOG_EVENTS_MAX or BACKLOG_BYTES_MAX if Redis has the memory',
  )
}

/** The same in words for `/readyz`: nothing is wrong with this gateway, so it stays ready. */
export function pressureWarnings({ full, isShedding, memoryPercent, limits }: PressureState): string[] {
  return [
    ...(isShedding ? [`${sheddingText(memoryPercent)} until it is below ${limits.shedUntil} %`] : []),
    ...(full.length > 0 ? [fullText(full)] : []),
  ]
}

const sheddingText = (percent: number | undefined): string =>
  `Redis has used ${Math.round(percent ?? 0)} % of its maxmemory: publishing is refused (503 memory_limit)`

const fullText = (full: readonly string[]): string =>
  `${full.length} ${full.length === 1 ? 'topic is' : 'topics are'} full: publishing to ${listed(full)} is refused (429 backlog_limit)`
