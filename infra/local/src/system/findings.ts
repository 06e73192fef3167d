import type { Diagnosis } from '@sekali/core/finding'
import { waitUntil } from '@sekali/servers/wait-until'

const answerMs = 5_000
/** What has just started may not have been seen yet by all. */
const settleMs = 3_000

interface Asking {
  /** A key, where keys are asked for. */
  readonly token: string | undefined
  readonly signal?: AbortSignal
}

/**
 * What the doctor finds amiss, problems first, each with its remedy; nothing if the doctor cannot be asked. For a moment it
 * may find what is over soon: consumers that have just started, for instance.
 */
export async function readFindings(url: string, { token, signal }: Asking): Promise<string[]> {
  let diagnosis: Diagnosis | undefined
  const isWell = async () => {
    diagnosis = await diagnose(url, token)
    return diagnosis === undefined || diagnosis.status === 'ok'
  }
  await waitUntil(isWell, settleMs, { signal, stepMs: 250 })
  const findings = diagnosis?.findings ?? []
  return (['problem', 'warning'] as const).flatMap((level) =>
    findings
      .filter((one) => one.level === level)
      .map(
        ({ check, message, remedy }) => `${level}: ${check}: ${message}${remedy ? `. ${upper(remedy)}` : ''}`,
      ),
  )
}

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
