// Requests of a fault's own, beside the load.
import { bearer } from '../clients/door.ts'
import type { FaultContext } from '../fault.ts'

export type Ask = (method: string, path: string, body?: object) => Promise<unknown>

const askMs = 10_000

/** Requests with the key of the load. Rejects unless the answer is a success; undefined for 204. */
export const askingOf =
  ({ target: { keyNow, quietUrl } }: Pick<FaultContext<never>, 'target'>): Ask =>
  async (method, path, body) => {
    const headers = { 'content-type': 'application/json', ...bearer(keyNow?.()) }
    const request = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const signal = AbortSignal.timeout(askMs)
    const response = await fetch(quietUrl + path, { headers, signal, ...request })
    if (!response.ok) throw new Error(`${path} was answered ${response.status}`)
    return response.status === 204 ? undefined : await response.json()
  }
