import type { Diagnosis, Finding } from '@sekali/core/finding'
import { waitUntil } from '@sekali/servers/wait-until'

const answerMs = 5_000
/**
 * What has just started may not have been seen yet by all. And on a busy machine a server that is well can be slow: it is
 * called away only if it stays so.
 */
const patience = { settleMs: 3_000, reachMs: 15_000 }

interface Asking {
  /** A key, where keys are asked for. */
  readonly token: string | undefined
  readonly signal?: AbortSignal
}

/**
 * What the doctor finds amiss, problems first, each with its remedy; nothing if the doctor cannot be asked. For a moment it
 * may find what is over soon: consumers that have just started, for instance.
 */
export async function readFindings(
  url: string,
  { token, signal }: Asking,
  { settleMs, reachMs } = patience,
): Promise<string[]> {
  const until = performance.now() + settleMs
  let diagnosis: Diagnosis | undefined
  const isSettled = async () => {
    diagnosis = await diagnose(url, token)
    if (diagnosis === undefined || diagnosis.status === 'ok') return true
    return performance.now() > until && !diagnosis.findings.some(isAway)
  }
  await waitUntil(isSettled, reachMs, { signal, stepMs: 250 })
  const findings = diagnosis?.findings ?? []
  return (['problem', 'warning'] as const).flatMap((level) =>
    findings
      .filter((one) => one.level === level)
      .map(
        ({ check, message, remedy }) => `${level}: ${check}: ${message}${remedy ? `. ${upper(remedy)}` : ''}`,
      ),
  )
}

const isAway = ({ check, level }: Finding) => level === 'problem' && check.endsWith('.reachable')

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

async function diagnose(url: string, token: string | undefined): Promise<Diagnosis | undefined> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {}
  try {
    const response = await fetch(`${url}/doctor`, { headers, signal: AbortSignal.timeout(answerMs) })
    return response.ok ? ((await response.json()) as Diagnosis) : undefined
  } catch {
    return undefined
  }
}
